"""Which orders a backfill takes of those that the shop returns."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, cast

import pytest

from cartum_roapp.config import ShopConfig
from cartum_roapp.errors import BadConfig
from cartum_roapp.sync.selection import fetch_selection, selection


class Settings:
    slug, timezone, statuses = "mavka", "Europe/Kyiv", {1: 101, 3: 103, 6: 106}


class Shop:
    def __init__(self, *statuses: Any) -> None:
        self.rows = {
            str(day): {"order_id": day, "stat_created": f"2026-01-{day:02} 12:00:00", "stat_status": status}
            for day, status in enumerate(statuses, 1)
        }

    async def read_orders(self, *, numbers: Sequence[str] | None = None, **_: object) -> dict[str, dict[str, Any]]:
        return {number: row for number, row in self.rows.items() if numbers is None or number in numbers}

    async def products(self, articles: Sequence[str]) -> dict[str, dict[str, Any]]:
        return {}


def taken(
    shop: Shop,
    since: date | None = None,
    until: date | None = None,
    statuses: Sequence[int] = (),
    numbers: Sequence[str] = (),
) -> list[str]:
    wanted = selection(cast(ShopConfig, Settings), since, until, statuses, numbers)
    return sorted(asyncio.run(fetch_selection(shop, wanted)))


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
    with pytest.raises(BadConfig, match=r"no status 77, 78 of this shop is matched .* it has 1, 3, 6") as raised:
        taken(Shop(6), statuses=[6, 77, 78])
    assert raised.value.field == "status"
