"""Which orders a backfill takes of those that the shop returns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from reading import all_of

from cartum_roapp.errors import BadConfig
from cartum_roapp.shops import ShopConfig
from cartum_roapp.sync.selection import fetch_selection, selection


class Settings:
    slug, timezone, statuses = "mavka", "Europe/Kyiv", {1: 101, 3: 103, 6: 106, 9: 109}


NAMES = {1: "Нове", 3: "Доставлене", 6: "Надіслане  поштою", 9: "Надіслане поштою", 7: "Пауза"}


class Shop:
    def __init__(self, *statuses: Any) -> None:
        self.rows = {
            str(day): {"order_id": day, "stat_created": f"2026-01-{day:02} 12:00:00", "stat_status": status}
            for day, status in enumerate(statuses, 1)
        }

    async def read_orders(self, *, numbers: Sequence[str] | None = None, **_: object) -> dict[str, dict[str, Any]]:
        return {number: row for number, row in self.rows.items() if numbers is None or number in numbers}

    async def pages_of_orders(self, **asked: Any) -> AsyncIterator[dict[str, dict[str, Any]]]:
        yield await self.read_orders(**asked)

    async def products(self, articles: Sequence[str]) -> dict[str, dict[str, Any]]:
        return {}


def taken(
    shop: Shop,
    since: date | None = None,
    until: date | None = None,
    statuses: Sequence[str | int] = (),
    numbers: Sequence[str] = (),
) -> list[str]:
    wanted = selection(cast(ShopConfig, Settings), since, until, statuses, numbers, NAMES)
    return sorted(asyncio.run(all_of(fetch_selection(shop, wanted, wanted.since, wanted.until, set()))))


def test_numbers_are_narrowed_by_either_day() -> None:
    shop, numbers = Shop(1, 1, 1), ["1", "3"]
    assert taken(shop, numbers=numbers) == ["1", "3"]
    assert taken(shop, until=date(2026, 1, 2), numbers=numbers) == ["1"]
    assert taken(shop, since=date(2026, 1, 2), numbers=numbers) == ["3"]


def test_named_numbers_are_taken_though_the_shops_clock_runs_ahead() -> None:
    shop = Shop(1)
    shop.rows["1"]["stat_created"] = f"{datetime.now().year + 1}-01-01 00:00:00"
    assert taken(shop, numbers=["1"]) == ["1"]


def test_a_status_counts_however_the_shop_writes_it() -> None:
    shop = Shop(6, "6", 6.0, "6.0", {"id": 6}, 1, None)
    assert taken(shop, since=date(2026, 1, 1), statuses=[6]) == ["1", "2", "3", "4", "5"]


def test_a_status_that_the_shop_does_not_have_is_a_slip() -> None:
    with pytest.raises(BadConfig, match=r"no status 77, новее of this shop is matched .* it has 1 Нове, 3 Д") as raised:
        taken(Shop(6), statuses=[6, 77, "новее"])
    assert raised.value.field == "status"


@pytest.mark.parametrize("typed", ["1", " нове", "НОВЕ"])
def test_a_status_may_be_named_as_the_shop_names_it(typed: str) -> None:
    assert taken(Shop(1, 3, 6), statuses=[typed]) == ["1"]


def test_a_name_that_two_statuses_have_means_both() -> None:
    assert taken(Shop(1, 6, 9), statuses=["надіслане поштою"]) == ["2", "3"]


def test_a_status_that_is_not_matched_is_a_slip_by_name_too() -> None:
    with pytest.raises(BadConfig, match="no status Пауза of this shop is matched"):
        taken(Shop(7), statuses=["Пауза"])


def test_a_day_in_the_future_is_a_slip_and_today_is_none() -> None:
    today = datetime.now(ZoneInfo("Europe/Kyiv")).date()
    with pytest.raises(BadConfig, match=f"lies in the future; on the shop's clock it is {today}") as raised:
        taken(Shop(), since=today + timedelta(days=1))
    assert (raised.value.field, raised.value.fix) == ("from", "Name a day that has begun.")
    assert taken(Shop(), since=today, until=today + timedelta(days=1)) == []


def test_numbers_that_the_shop_does_not_have_are_named() -> None:
    wanted = selection(cast(ShopConfig, Settings), None, None, None, ["2", "9"])
    missing: set[str] = set()
    asyncio.run(all_of(fetch_selection(Shop(1, 1), wanted, wanted.since, wanted.until, missing)))
    assert missing == {"9"}
