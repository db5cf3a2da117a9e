"""Which orders and products are read from a shop. There is no "updated since" (cartum §2.1), so the incremental sync
makes three reads: `fetch_created`, `fetch_open`, and `fetch_numbers` for what the second did not return.

Rows are raw and keyed by the order's number; a row whose number can't be read has a key of the client's, and is
passed on to be held. All functions may be called twice. Those that read raise Retryable and BadConfig.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from cartum_roapp.orders.rows import created_of, lines_of, number_of
from cartum_roapp.orders.texts import clean
from cartum_roapp.orders.zones import to_wall
from tasks.step import step

BATCH = 100

Row = dict[str, Any]
Rows = dict[str, Row]


class ShopApi(Protocol):
    """The part of `cartum_roapp.apis.cartum.Cartum` that is used here."""

    async def walk_orders(
        self,
        *,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        statuses: Sequence[int] | None = None,
        numbers: Sequence[str] | None = None,
    ) -> Rows: ...

    async def products(self, articles: Sequence[str]) -> Rows: ...


@dataclass(frozen=True)
class Found:
    """What a read by numbers returned, and the numbers that it did not."""

    rows: Rows
    missing: set[str]


async def fetch_created(api: ShopApi, since: datetime, until: datetime, zone: ZoneInfo) -> Rows:
    """Orders created from `since` to `until` (aware, both inclusive, to the second of the shop's clock in `zone`)."""
    return _within(await api.walk_orders(created_from=since, created_to=until), since, until, zone)


async def fetch_open(api: ShopApi, statuses: Sequence[int], since: datetime, zone: ZoneInfo) -> Rows:
    """Orders in one of the statuses, created at `since` (aware) or later. {} without a call for no statuses."""
    if not statuses:
        return {}
    return _within(await api.walk_orders(created_from=since, statuses=sorted(statuses)), since, None, zone)


async def fetch_numbers(api: ShopApi, numbers: Collection[str]) -> Found:
    """The orders with these numbers, 100 a call. What a call left out is asked for again while that brings more, so
    that a shop which caps a list of ids silently makes no order look deleted.
    """
    wanted = set(numbers)
    rows: Rows = {}
    while wanted - rows.keys():
        rest = sorted(wanted - rows.keys(), key=_by_number)
        before = len(rows)
        for start in range(0, len(rest), BATCH):
            found = await api.walk_orders(numbers=rest[start : start + BATCH])
            rows.update((number, row) for number, row in found.items() if number in wanted or not number_of(row))
        if len(rows) == before:  # nothing came: asking again would only cost a call
            break
    return Found(rows, wanted - rows.keys())


async def fetch_catalogue(api: ShopApi, articles: Collection[str]) -> Rows:
    """Article → row of catalog/export with title, description, barcode, price. Unknown articles are missing from
    it. {} without a call for no articles.
    """
    return await api.products(sorted(articles)) if articles else {}


def missing_articles(rows: Iterable[Any], known: Collection[str] = ()) -> set[str]:
    """The articles of the rows' lines that are not `known`, as `transform` writes them."""
    lines = (line for row in rows if isinstance(row, dict) for line in lines_of(row) if isinstance(line, dict))
    return {article for line in lines if (article := clean(line.get("article")))} - set(known)


def slices(window_from: datetime, window_to: datetime, days: float = 7) -> list[tuple[datetime, datetime]]:
    """The window in pieces of at most `days`, oldest first, each beginning where the last one ends; [] for an empty
    window. Raises ValueError for naive times or days that are not above 0.
    """
    if window_from.tzinfo is None or window_to.tzinfo is None:
        raise ValueError("the window's bounds carry an offset")
    if days <= 0:
        raise ValueError("days must be above 0")
    pieces: list[tuple[datetime, datetime]] = []
    start = window_from
    while start < window_to:
        end = min(start + timedelta(days=days), window_to)
        pieces.append((start, end))
        start = end
    return pieces


def _within(rows: Mapping[str, Row], since: datetime, until: datetime | None, zone: ZoneInfo) -> Rows:
    # By the shop's clock, as the shop itself compares: in UTC an order of the repeated autumn hour could fall
    # between two slices. A row whose stamp can't be read stays, to be held.
    earliest = to_wall(since, zone).replace(microsecond=0)
    latest = to_wall(until, zone) if until else datetime.max
    kept: Rows = {}
    for number, row in rows.items():
        created = created_of(row)
        if created is not None and created.tzinfo is not None:
            created = to_wall(created, zone)
        if created is None or earliest <= created <= latest:
            kept[number] = row
    return kept


def _by_number(number: str) -> tuple[int, str]:
    return len(number), number


fetch_created_task = step("fetch created orders", "cartum")(fetch_created)
fetch_open_task = step("fetch open orders", "cartum")(fetch_open)
fetch_numbers_task = step("fetch orders by number", "cartum")(fetch_numbers)
fetch_catalogue_task = step("fetch products", "cartum")(fetch_catalogue)
