"""Reads a shop that ignores `offset` (before 3.30, cartum §2.1): every answer begins with the first row, and its
largest number of rows is not documented. So the window of dates is divided until each answer is certainly complete."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from cartum_roapp.apis.cartum.orders import FORM, ROWS, Fetch, OrderQuery, Row, row_key, wall_time_of
from cartum_roapp.errors import Retryable

#: An answer of fewer rows is complete: no shop cuts its list so short.
FEW = 10
_SECOND = timedelta(seconds=1)
_FIRST = datetime(2000, 1, 1)
_EARLIER = (timedelta(days=7), timedelta(days=60), timedelta(days=400))


async def in_windows(query: OrderQuery, first: list[Row], fetch: Fetch) -> AsyncIterator[list[Row]]:
    """Yields the rows of the query that its `first` answer lacks, each once.

    An answer is complete if it is shorter than the longest answer so far, or if the shop ignores dates as well: then
    there is nothing to divide. If one second (one day for a shop that takes no times) fills an answer, a longer time is
    asked for: if more rows come, the shop does not cut its lists so short. Otherwise raises Retryable.
    """
    seen = {row_key(row) for row in first}
    waiting, most = await _parts(query, first, FEW, fetch)
    if waiting and not (query.days_only or await _takes_times(query, first, fetch)):
        waiting, most = await _parts(query.by_days(), first, most, fetch)
    while waiting:
        window = waiting.pop()
        rows = await fetch(window.parameters(0, ROWS))
        if fresh := [row for row in rows if row_key(row) not in seen]:
            seen |= {row_key(row) for row in fresh}
            yield fresh
        parts, most = await _parts(window, rows, most, fetch)
        waiting += parts


async def _takes_times(query: OrderQuery, rows: list[Row], fetch: Fetch) -> bool:
    """Returns whether the shop finds an order by the second at which it was placed. A shop that reads only the date
    takes it for the beginning of the day."""
    dated = next((row for row in rows if wall_time_of(row) is not None), None)
    when = wall_time_of(dated) if dated is not None else None
    if dated is None or when is None or (when.hour, when.minute, when.second) == (0, 0, 0):
        return False
    window = query.between(when, when)
    found = await fetch(window.parameters(0, ROWS))
    return row_key(dated) in map(row_key, found) and all(window.in_sent_dates(row) for row in found)


async def _parts(window: OrderQuery, rows: list[Row], most: int, fetch: Fetch) -> tuple[list[OrderQuery], int]:
    """Returns the parts to ask for instead of the window, [] if its answer is complete; and the `most` rows that the
    shop sent in one answer so far. Raises Retryable if the answer may be incomplete and can't be divided."""
    most = max(most, len(rows))
    if len(rows) < most or window.numbers is not None or not all(window.in_sent_dates(row) for row in rows):
        return [], most
    if parts := _halves(window, rows):
        return parts, most
    since, until = _bounds(window)
    for earlier in _EARLIER:  # if it sends more rows for a longer time, the answer for the window was complete
        wider = window.between(max(_FIRST, since - earlier), until)
        most = max(most, len(await fetch(wider.parameters(0, ROWS))))
        if len(rows) < most:
            return [], most
    raise Retryable(f"the shop sends {len(rows)} orders of {since} at most, and has no second page of them")


def _halves(window: OrderQuery, rows: list[Row]) -> list[OrderQuery]:
    """Returns the window divided at the median of the rows' stamps; [] if it can't be divided."""
    since, until = _bounds(window)
    stamps = sorted(created for row in rows if (created := wall_time_of(row)) and since < created <= until)
    cut = stamps[len(stamps) // 2] if stamps else since + (until - since) / 2
    if window.days_only:
        midnight = datetime(since.year, since.month, since.day)
        cut = max(datetime(cut.year, cut.month, cut.day), midnight + timedelta(days=1))
    cut = cut.replace(microsecond=0)
    if not since < cut <= until:
        return []
    return [window.between(since, cut - _SECOND), window.between(cut, until)]


def _bounds(window: OrderQuery) -> tuple[datetime, datetime]:
    since = datetime.strptime(window.created_from, FORM) if window.created_from else _FIRST
    # The shop may be in any zone; no order is placed after tomorrow.
    latest = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=2)
    return since, datetime.strptime(window.created_to, FORM) if window.created_to else latest
