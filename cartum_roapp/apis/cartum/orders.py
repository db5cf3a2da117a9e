"""Queries of orders/get, page by page, and checks of their answers (cartum §2)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

ROWS = 100
#: A walk ends if the same page comes this many times in a row: some shops repeat their last page.
SAME = 3
#: If the first rows come again this many rows further on, the shop ignores `offset`.
FAR = 5 * ROWS
FORM = "%Y-%m-%d %H:%M:%S"
_PADDED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
Row = dict[str, Any]
Fetch = Callable[[dict[str, Any]], Awaitable[list[Row]]]

_FIRST_YEAR = 2000
_WHOLE = re.compile(r"\+?0*([1-9][0-9]*)(?:[.,]0+)?")
_DIGITS = re.compile(r"[0-9]{1,19}")


class OffsetIgnored(Exception):
    """The shop answered the second page with the first one."""


def row_key(row: Row) -> str:
    """Returns the order's number as text. For a row without a readable number, returns `?` and a digest of the row, so
    that each such row can be held."""
    number = row.get("order_id")
    if isinstance(number, int) and not isinstance(number, bool):
        return str(number)
    if isinstance(number, float) and number.is_integer():
        return str(int(number))
    if isinstance(number, str) and number.strip():
        whole = _WHOLE.fullmatch(number.strip())  # as `orders.rows` reads it
        return whole[1] if whole else number.strip()
    digest = hashlib.sha256(json.dumps(row, sort_keys=True, default=str).encode()).hexdigest()
    return f"?{digest[:12]}"


def wall_time_of(row: Row) -> datetime | None:
    """Returns when the order was placed, naive, in the shop's time; None if that can't be read, as for zero dates."""
    with suppress(TypeError, ValueError):
        stamp: Any = row.get("stat_created")
        # As strptime reads it, many times faster.
        padded = isinstance(stamp, str) and _PADDED.fullmatch(stamp)
        created = datetime.fromisoformat(stamp) if padded else datetime.strptime(stamp, FORM)
        return created if created.year >= _FIRST_YEAR else None
    return None


@dataclass(frozen=True)
class OrderQuery:
    """Which orders to read. `created_from` and `created_to` are inclusive, in the shop's time (`YYYY-MM-DD HH:MM:SS`).

    `days_only`: the shop (before 3.30) takes dates without a time of day, so one more day is asked for on both sides.
    Unless `exact` is set, the end is moved one day on in any case: a shop may read only the date of `to` and take it
    for the beginning of that day. A shop ignores parameters that it does not know and then sends everything, so each
    row is checked with `keeps`."""

    created_from: str | None = None
    created_to: str | None = None
    statuses: frozenset[int] | None = None
    numbers: frozenset[str] | None = None
    days_only: bool = False
    exact: bool = False

    @classmethod
    def of(
        cls,
        zone: ZoneInfo | None,
        created_from: datetime | None,
        created_to: datetime | None,
        statuses: Sequence[int] | None,
        numbers: Sequence[str] | None,
    ) -> OrderQuery:
        return cls(
            created_from=shop_time(created_from, zone),
            created_to=shop_time(created_to, zone),
            statuses=None if statuses is None else frozenset(statuses),
            numbers=None if numbers is None else frozenset(str(number) for number in numbers),
        )

    @property
    def is_empty(self) -> bool:
        return self.statuses == frozenset() or self.numbers == frozenset()

    @property
    def is_timed(self) -> bool:
        return not self.days_only and (self.created_from is not None or self.created_to is not None)

    def by_days(self) -> OrderQuery:
        return replace(self, days_only=True)

    def between(self, since: datetime, until: datetime) -> OrderQuery:
        """Returns the same query for a part of its time, in the shop's time, both ends included."""
        return replace(self, created_from=since.strftime(FORM), created_to=until.strftime(FORM), exact=True)

    def parts(self) -> list[OrderQuery]:
        """Returns the same query in parts that fit into one call each: at most 100 numbers."""
        if self.numbers is None:
            return [self]
        numbers = sorted(self.numbers, key=_by_number)
        return [replace(self, numbers=frozenset(numbers[n : n + ROWS])) for n in range(0, len(numbers), ROWS)]

    def parameters(self, offset: int, limit: int = ROWS) -> dict[str, Any]:
        asked: dict[str, Any] = {"offset": offset, "limit": limit}
        if self.created_from is not None:
            asked["from"] = _day(self.created_from, -1) if self.days_only else self.created_from
        if self.created_to is not None:
            asked["to"] = _day(self.created_to, 1) if self.days_only else self._end
        if self.statuses is not None:
            asked["status"] = sorted(self.statuses)
        if self.numbers is not None:
            asked["ids"] = [as_sent(number) for number in sorted(self.numbers, key=_by_number)]
        return asked

    def in_window(self, row: Row) -> bool:
        """Returns whether the order was placed within the dates; True if the row has no readable stamp."""
        return self._within(row, self.created_from, self.created_to)

    def in_sent_dates(self, row: Row) -> bool:
        """As `in_window`, for the dates as they are sent."""
        if not self.days_only:
            return self._within(row, self.created_from, self._end)
        since, until = self.created_from, self.created_to
        return self._within(row, since and _day(since, -1), until and f"{_day(until, 1)} 23:59:59")

    @property
    def _end(self) -> str | None:
        if self.created_to is None or self.exact:
            return self.created_to
        return _day(self.created_to, 1) + self.created_to[10:]

    def _within(self, row: Row, since: str | None, until: str | None) -> bool:
        if wall_time_of(row) is None:
            return True
        created = row["stat_created"]
        return not ((since is not None and created < since) or (until is not None and created > until))

    def keeps(self, row: Row) -> bool:
        """Returns False only if the row certainly was not asked for."""
        status = str(row.get("stat_status"))
        if self.statuses is not None and _DIGITS.fullmatch(status) and int(status) not in self.statuses:
            return False
        number = row_key(row)
        if self.numbers is not None and not number.startswith("?") and number not in self.numbers:
            return False
        return self.in_window(row)


async def walk(query: OrderQuery, first: list[Row], fetch: Fetch, limit: int = ROWS) -> AsyncIterator[list[Row]]:
    """Walks over all pages once. Yields the rows as they came. `first` is the page at offset 0, asked for with `limit`.

    The offset advances by the rows *received*: servers cut pages silently, so a short page is not the last one. The
    walk ends at an empty page, when every number asked for was seen, when the last page is repeated, or when far more
    rows than orders came. Raises OffsetIgnored if the first page comes again as the second one and also far behind it.
    """
    seen: set[str] = set()
    before: list[str] = []
    offset, rows, same = 0, first, 0
    while numbers := [row_key(row) for row in rows]:
        if offset == len(first) and seen <= set(numbers) and await _comes_anywhere(seen, query, offset, fetch):
            raise OffsetIgnored
        same = same + 1 if numbers == before else 0
        if same == SAME or offset > SAME * len(seen) + ROWS:
            return
        seen.update(numbers)
        before = numbers
        offset += len(rows)
        yield rows
        if query.numbers is not None and query.numbers <= seen:
            return
        limit = max(limit, ROWS)
        rows = await fetch(query.parameters(offset, limit))


async def _comes_anywhere(numbers: set[str], query: OrderQuery, offset: int, fetch: Fetch) -> bool:
    """Returns whether these rows come even far behind the end of the list. A list that is shuffled at each call may
    repeat a few rows by chance, but has none behind its end."""
    return numbers <= {row_key(row) for row in await fetch(query.parameters(offset + FAR, ROWS))}


def is_later(row: Row, local: str | None) -> bool:
    """Returns whether the order was placed after `local`, in the shop's time."""
    return local is not None and wall_time_of(row) is not None and row["stat_created"] > local


def shop_time(when: datetime | None, zone: ZoneInfo | None) -> str | None:
    """Returns an aware datetime in the shop's time and notation. Raises ValueError if either has no zone."""
    if when is None:
        return None
    if when.tzinfo is None or zone is None:
        raise ValueError("dates need a zone: aware datetimes, and the shop's own zone")
    return when.astimezone(zone).strftime(FORM)


def _day(local: str, spare: int) -> str:
    return (date.fromisoformat(local[:10]) + timedelta(days=spare)).isoformat()


def as_sent(number: str) -> int | str:
    """Returns the number as the shop has it in JSON."""
    return int(number) if _DIGITS.fullmatch(number) and str(int(number)) == number else number


def _by_number(number: str) -> tuple[int, str]:
    return len(number), number
