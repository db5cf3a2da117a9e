"""Reads orders and products from a shop. There is no "updated since" (cartum §2.1), so the incremental sync makes three
reads: `fetch_created`, `fetch_open`, and `fetch_numbers` for orders that these two did not return.

What may be large comes in pages, which are `gather`ed and stored part by part, so the memory of a run does not grow
with what it reads.

Rows are raw and keyed by the order's number. A row whose number can't be read has a key made by the client, and is kept
to be held. All functions are idempotent. Those that read raise Retryable and BadConfig.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from cartum_roapp.orders import currencies
from cartum_roapp.orders.catalogue import article_key
from cartum_roapp.orders.fingerprint import as_bytes
from cartum_roapp.orders.rows import created_of, lines_of, number_of
from cartum_roapp.orders.texts import as_text, clean
from cartum_roapp.orders.zones import to_wall
from cartum_roapp.shops import ShopConfig

BATCH = 100
#: This many rows are stored at once: some 15 MB, and a week of most shops.
PART = 1000

Row = dict[str, Any]
Rows = dict[str, Row]
Pages = AsyncIterator[Rows]


class ShopApi(Protocol):
    """The part of `cartum_roapp.apis.cartum.Cartum` that is used here."""

    async def read_orders(
        self,
        *,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        statuses: Sequence[int] | None = None,
        numbers: Sequence[str] | None = None,
    ) -> Rows: ...

    def pages_of_orders(
        self,
        *,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        statuses: Sequence[int] | None = None,
    ) -> Pages: ...

    async def products(self, articles: Sequence[str]) -> Rows: ...

    async def currencies_if_shown(self) -> list[Row]: ...


class Gathered:
    """Orders that were read and wait to be stored, each as it was read last. Of those that were taken before, it keeps
    the number and a digest: a row that comes again unchanged is left out. `named`: what is read."""

    def __init__(self, named: str = "orders") -> None:
        self._named = named
        self._taken = 0
        self._rows: Rows = {}
        self._digests: dict[str, bytes] = {}

    @property
    def numbers(self) -> Collection[str]:
        """Returns the numbers of all rows so far, taken or not."""
        return self._digests.keys()

    @property
    def what(self) -> str:
        """Returns what waits to be taken: "2–9 Nov", or "2–9 Nov, part 2"."""
        return f"{self._named}, part {self._taken + 1}" if self._taken else self._named

    @property
    def is_full(self) -> bool:
        return len(self._rows) >= PART

    def add(self, rows: Rows) -> None:
        for number, row in rows.items():
            digest = hashlib.blake2b(as_bytes(row), digest_size=12).digest()
            if self._digests.get(number) != digest:
                self._digests[number] = digest
                self._rows[number] = row

    def take(self) -> Rows:
        """Returns the rows that wait, and forgets them."""
        rows, self._rows = self._rows, {}
        self._taken += 1
        return rows


async def gather(pages: Pages, into: Gathered) -> bool:
    """Reads on until there is enough to be stored. Returns False when all is read."""
    async for rows in pages:
        into.add(rows)
        if into.is_full:
            return True
    return False


@dataclass(frozen=True)
class Found:
    """The rows that a read by number returned, and the numbers without a row."""

    rows: Rows
    missing: set[str]


async def fetch_created(api: ShopApi, since: datetime, until: datetime, zone: ZoneInfo) -> Pages:
    """Yields the orders created from `since` to `until` (aware, both inclusive, to the second), in the shop's time. An
    order may come several times: the last one counts."""
    async for page in api.pages_of_orders(created_from=since, created_to=until):
        yield within(page, since, until, zone)


async def fetch_open(api: ShopApi, statuses: Sequence[int], since: datetime, zone: ZoneInfo) -> Pages:
    """Yields the orders in one of the statuses, created at `since` (aware) or later, like `fetch_created`; nothing
    without a call if there are no statuses."""
    if statuses:
        async for page in api.pages_of_orders(created_from=since, statuses=sorted(statuses)):
            yield within(page, since, None, zone)


def batches(numbers: Collection[str]) -> list[list[str]]:
    """Returns the numbers in batches that are read and stored at once; one that is empty if there are none."""
    rest = sorted(numbers, key=_by_number)
    return [rest[start : start + PART] for start in range(0, max(1, len(rest)), PART)]


async def fetch_numbers(api: ShopApi, numbers: Collection[str]) -> Found:
    """Returns the orders with these numbers, with one call for 100. Asks for missing ones again while that brings more,
    so that no order looks deleted because the shop cut the list of ids. There are at most as many rows without a
    readable number as missing numbers."""
    asked = set(numbers)
    rows: Rows = {}
    unread: Rows = {}
    while left := asked - rows.keys():
        rest = sorted(left, key=_by_number)
        for start in range(0, len(rest), BATCH):
            found = await api.read_orders(numbers=rest[start : start + BATCH])
            rows.update((number, row) for number, row in found.items() if number in asked)
            unread.update((number, row) for number, row in found.items() if not number_of(row))
            unread = dict(list(unread.items())[: len(asked - rows.keys())])
        if len(asked - rows.keys()) == len(left):
            break
    return Found(rows | unread, asked - rows.keys())


async def fetch_catalogue(api: ShopApi, articles: Collection[str]) -> dict[str, Row | None]:
    """Returns article as compared → row of catalog/export, None for an article that the shop does not have; {} without
    a call if there are no articles."""
    found = await api.products(sorted(articles)) if articles else {}
    asked = dict.fromkeys(article_key(clean(article)) for article in articles)
    return {**asked, **{article_key(clean(article)): row for article, row in found.items()}}


async def currency_titles(api: ShopApi, shop: ShopConfig, rows: Collection[Any]) -> dict[str, str]:
    """Returns the titles of the shop's currencies (`currencies.titles`); {} without a call if all names are known."""
    if not currencies.unknown(rows, currencies.own_names(shop.named_currencies)):
        return {}
    return currencies.titles(await api.currencies_if_shown())


def articles_of(rows: Iterable[Any]) -> set[str]:
    """Returns the articles of the rows' lines as the shop spells them: its catalogue knows them by that only."""
    lines = (line for row in rows if isinstance(row, dict) for line in lines_of(row) if isinstance(line, dict))
    return {text for line in lines if clean(text := as_text(line.get("article")))}


def slices(window_from: datetime, window_to: datetime, days: float = 7) -> list[tuple[datetime, datetime]]:
    """Returns the window in slices of at most `days`, the oldest first, each beginning where the last one ends; [] for
    an empty window. Raises ValueError for naive times and for `days` that are not above 0."""
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


def within(rows: Mapping[str, Row], since: datetime, until: datetime | None, zone: ZoneInfo) -> Rows:
    """Returns the rows created from `since` to `until` (aware; None: no end)."""
    # Compares in the shop's time, as the shop does: in UTC an order of the repeated hour in autumn could be in neither
    # of two slices. A row whose stamp can't be read is kept, to be held.
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
