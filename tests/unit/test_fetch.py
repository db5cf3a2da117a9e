"""What is asked of a shop, and which of its answers are believed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import all_of

from cartum_roapp.sync.fetch import articles_of, fetch_catalogue, fetch_created, fetch_numbers, fetch_open, slices

KYIV = ZoneInfo("Europe/Kyiv")
Row = dict[str, Any]


class Shop:
    """A shop that ignores the filters named in `deaf` and returns at most `cap` of the numbers asked for."""

    def __init__(self, rows: dict[str, Row], *, deaf: Sequence[str] = (), cap: int = 1000) -> None:
        self.rows, self.deaf, self.cap = rows, deaf, cap
        self.asked: list[dict[str, Any]] = []

    async def read_orders(
        self,
        *,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        statuses: Sequence[int] | None = None,
        numbers: Sequence[str] | None = None,
    ) -> dict[str, Row]:
        self.asked.append({"from": created_from, "to": created_to, "statuses": statuses, "numbers": numbers})
        if numbers is None or "numbers" in self.deaf:
            return dict(self.rows)
        return {
            number: self.rows[number] for number in numbers if number in self.rows and self.cap_left(numbers, number)
        }

    async def pages_of_orders(self, **asked: Any) -> AsyncIterator[dict[str, Row]]:
        yield await self.read_orders(**asked)

    def cap_left(self, numbers: Sequence[str], number: str) -> bool:
        return list(numbers).index(number) < self.cap

    async def products(self, articles: Sequence[str]) -> dict[str, Row]:
        self.asked.append({"articles": articles})
        return {article: {"article": article} for article in articles}


def created(*stamps: Any) -> dict[str, Row]:
    return {str(index): {"order_id": index, "stat_created": stamp} for index, stamp in enumerate(stamps)}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_rows_outside_the_window_are_dropped_where_the_shop_ignores_dates() -> None:
    rows = created(
        "2026-01-10 11:59:59",
        "2026-01-10 12:00:00",
        "2026-01-11 12:00:00",
        "2026-01-11 12:00:01",
        "11.01.2026 08:00:00",
        "2026-01-10T09:00:00Z",
        "2026-01-10T11:00:00Z",
        "0000-00-00 00:00:00",
        None,
    )
    found = asyncio.run(
        all_of(fetch_created(Shop(rows), utc("2026-01-10 10:00:00.9"), utc("2026-01-11 10:00:00"), KYIV))
    )
    assert list(found) == ["1", "2", "4", "6", "7", "8"]  # the last two can't be read: they are held, not lost


def test_slices_of_the_autumn_night_lose_no_order() -> None:
    """The hour that comes twice is compared by the shop's clock, as the shop itself does."""
    stamps = [f"2026-10-25 {hour:02}:{minute:02}:00" for hour in (2, 3, 4) for minute in range(0, 60, 5)]
    shop = Shop(created(*stamps))
    found: set[str] = set()
    for since, until in slices(utc("2026-10-24 22:00"), utc("2026-10-25 04:00"), days=45 / 1440):
        found |= asyncio.run(all_of(fetch_created(shop, since, until, KYIV))).keys()
    assert found == shop.rows.keys()


def test_open_orders_are_asked_for_by_status_since_a_day() -> None:
    shop = Shop(created("2026-01-10 11:59:59", "2026-01-10 12:00:00"))
    found = asyncio.run(all_of(fetch_open(shop, [6, 1], utc("2026-01-10 10:00"), KYIV)))
    assert list(found) == ["1"]
    assert shop.asked == [{"from": utc("2026-01-10 10:00"), "to": None, "statuses": [1, 6], "numbers": None}]


def test_no_question_costs_no_call() -> None:
    shop = Shop(created("2026-01-10 11:59:59"))
    assert asyncio.run(all_of(fetch_open(shop, [], utc("2026-01-10"), KYIV))) == {}
    assert asyncio.run(fetch_catalogue(shop, [])) == {}
    assert asyncio.run(fetch_numbers(shop, [])).missing == set()
    assert shop.asked == []


def test_numbers_are_asked_for_a_hundred_at_a_time_and_the_rest_is_missing() -> None:
    shop = Shop({str(number): {"order_id": number} for number in range(1, 251)})
    found = asyncio.run(fetch_numbers(shop, {str(number) for number in range(1, 253)}))
    assert found.rows.keys() == shop.rows.keys()
    assert found.missing == {"251", "252"}
    assert [len(asked["numbers"]) for asked in shop.asked] == [100, 100, 52, 2]


def test_a_shop_that_caps_the_list_of_numbers_makes_no_order_look_deleted() -> None:
    shop = Shop({str(number): {} for number in range(1, 101)}, cap=60)
    assert asyncio.run(fetch_numbers(shop, set(shop.rows))).missing == set()


def test_a_shop_that_answers_numbers_with_ever_new_unreadable_rows_is_not_asked_for_ever() -> None:
    class Babbling(Shop):
        async def read_orders(self, **asked: Any) -> dict[str, Row]:
            await super().read_orders(**asked)
            return {f"?{len(self.asked)}-{place}": {"place": place} for place in range(100)}

    shop = Babbling({})
    found = asyncio.run(fetch_numbers(shop, {"1", "2", "3"}))
    assert found.missing == {"1", "2", "3"} and len(shop.asked) == 1
    assert len(found.rows) == 3, "each may be one of those that were asked for"


def test_numbers_that_are_all_gone_are_asked_for_once() -> None:
    shop = Shop({})
    assert asyncio.run(fetch_numbers(shop, {"1", "2"})).missing == {"1", "2"}
    assert len(shop.asked) == 1


def test_a_shop_that_ignores_numbers_adds_no_strange_orders() -> None:
    shop = Shop({"1": {"order_id": 1}, "2": {"order_id": 2}}, deaf=["numbers"])
    found = asyncio.run(fetch_numbers(shop, {"1", "3"}))
    assert (set(found.rows), found.missing) == ({"1"}, {"3"})


def test_articles_of_lines() -> None:
    rows: list[Any] = [
        {"products": [{"article": " A&amp;B "}, {"article": ""}, {"article": None}, {}, None, {"article": 1001}]},
        {"products": {"7": {"article": "known"}, "8": {"article": "C"}}},
        {"products": None},
        {},
        None,
    ]
    assert articles_of(rows) == {"known", " A&amp;B ", "1001", "C"}
    assert asyncio.run(fetch_catalogue(Shop({}), {"C", "A&B"})).keys() == {"a&b", "c"}


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)),
    st.timedeltas(timedelta(0), timedelta(days=90)),
    st.floats(0.5, 40),
)
def test_slices_cover_the_window_without_gap_or_overlap(start: datetime, length: timedelta, days: float) -> None:
    window_from = start.replace(tzinfo=UTC)
    pieces = slices(window_from, window_from + length, days)
    if not length:
        assert pieces == []
        return
    assert pieces[0][0] == window_from
    assert pieces[-1][1] == window_from + length
    assert all(earlier[1] == later[0] for earlier, later in pairwise(pieces))
    assert all(timedelta(0) < until - since <= timedelta(days=days) for since, until in pieces)


def test_slices_need_aware_times_and_a_length() -> None:
    with pytest.raises(ValueError, match="offset"):
        slices(datetime(2026, 1, 1), datetime(2026, 2, 1))
    with pytest.raises(ValueError, match="above 0"):
        slices(utc("2026-01-01"), utc("2026-02-01"), days=0)
