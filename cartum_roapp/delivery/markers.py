"""The token that every RO App order carries, and the walk that reads them.

RO App knows no external order number (roapp §6): `[<shop key>:<order number>]` stands at the very start of
`manager_notes`. It is compared as a whole. Where staff have overwritten it, the shop's name and the number in
`malfunction` say the same. (The custom field that the merchant names has the bare number.)
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoOrder
from cartum_roapp.delivery.doubt import utc_now
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.ledger import creations, markers
from cartum_roapp.shops import ShopConfig

_TOKEN = re.compile(r"\[([a-z]{6}):([^\s\[\]:]+)\]")

# RO App's clock may differ from ours by an hour, or be set to the wrong summer time.
CLOCKS = timedelta(hours=2)
# A shop order is never older than its RO App order; a day covers every zone mistake.
BEFORE_ORDER = timedelta(days=1)
BEFORE_CALL = timedelta(minutes=10)


def marker(shop: str, number: str) -> str:
    """`[abcdef:1001]`"""
    return f"[{shop}:{number}]"


def read(order: RoOrder) -> tuple[str, str] | None:
    """(shop key, order number) that this RO App order carries, or None."""
    token = _TOKEN.match(order.manager_notes)
    return (token[1], token[2]) if token else None


def title(shop: str, number: str) -> str:
    """What a new order's `malfunction` says, which people read. `shop`: its name."""
    return f"{shop} {number}"


def titled(malfunction: str, names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Returns (shop key, order number) of each shop, among those of these `names` by key, whose order would have this
    title."""
    number = malfunction.rpartition(" ")[2]
    return [(key, number) for key, name in names.items() if number and malfunction == title(name, number)]


def is_elsewhere(order: RoOrder, shop: ShopConfig) -> bool:
    """Returns whether the order has another location or order type than the shop's orders, as far as RO App says."""
    return order.branch_id not in (None, shop.location_id) or order.order_type_id not in (None, shop.order_type_id)


class MarkerIndex:
    """All markers of the account, as far back as any order that is to be created.

    What was read is kept in the ledger. A look costs calls only when something is to be created or
    an outcome is unclear: from the last look on (so a ledger restored from a backup finds what was
    made since), and once further back when an older order is to be created. Where RO App's list leaves the
    notes out, each order that is not known yet is read by itself, once: whose location and order type it has
    does not matter, as a shop may be added later to an account that was looked through.
    """

    def __init__(self, session: AccountSession, roapp: RoApp, shops: Mapping[str, ShopConfig]) -> None:
        self._session = session
        self._roapp = roapp
        self._shops = shops
        self._walking = asyncio.Lock()
        self._looked_at: datetime | None = None
        self._read: set[int] = set()

    def read(self, order: RoOrder) -> tuple[str, str] | None:
        """(shop key, order number) of the order, by its marker, else by its title where it has the shop's location and
        order type; None where neither says so."""
        here = {key: shop.name for key, shop in self._shops.items() if not is_elsewhere(order, shop)}
        named = titled(order.malfunction, here)
        return read(order) or (named[0] if len(named) == 1 else None)

    async def find(self, shop: str, number: str, created_at: datetime) -> list[int]:
        """Returns the ids of all RO App orders with this marker. Looks into RO App first where the index does not reach
        back to `created_at`, when the shop's order was created (UTC)."""
        async with self._walking:
            with self._session.autocommit() as connection:
                span = markers.span(connection, self._session.account)
            await self._cover(created_at, *span)
            return self.known(shop, number)

    def known(self, shop: str, number: str) -> list[int]:
        """Returns those of them that the index has, without a look into RO App."""
        with self._session.autocommit() as connection:
            return markers.find(connection, self._session.account, shop, number)

    async def look_again(self) -> None:
        """Reads what was created since the oldest call whose outcome is unknown, or that is looked at once more: one
        walk serves all that ask while it waits."""
        asked = utc_now()
        async with self._walking:
            if self._looked_at is not None and self._looked_at >= asked:
                return
            with self._session.autocommit() as connection:
                oldest = creations.oldest(connection, self._session.account, "order")
            if oldest is not None:
                await self._walk(oldest - BEFORE_CALL - CLOCKS)

    def note(self, connection: Connection, ro_id: int, shop: str, number: str) -> None:
        """Adds an order that was just made with its marker, in the transaction that stores it."""
        markers.note(connection, self._session.account, ro_id, shop, number)

    def forget(self, ro_id: int) -> None:
        """Removes an order from the index: RO App no longer has it, or it now carries another marker."""
        with self._session.transaction() as connection:
            markers.forget(connection, self._session.account, ro_id)

    async def _cover(self, created_at: datetime, start: datetime | None, end: datetime | None) -> None:
        """Reads what the index, which reaches from `start` to `end`, lacks for an order of `created_at`."""
        if start is None or created_at - BEFORE_ORDER < start:
            with self._session.autocommit() as connection:
                created_at = min(created_at, markers.oldest_to_create(connection, self._session.account) or created_at)
        since = created_at - BEFORE_ORDER
        if start is None or end is None or since < start:
            await self._walk(since)
        elif end > utc_now():  # the clock was ahead: how far the index really reaches is not known
            await self._walk(start)
        elif self._looked_at is None:
            await self._walk(end - CLOCKS)

    async def _walk(self, since: datetime) -> None:
        """Reads the markers of all orders that RO App has made `since` (UTC) into the index."""
        began = utc_now()
        silent: list[int] = []
        listed = False
        async for page in self._roapp.walk_orders(created_from=since):
            self._note(page)
            listed = listed or any(order.shows_notes for order in page)
            silent += [order.id for order in page if not order.shows_notes and self.read(order) is None]
        if not listed:  # else the list has them, and only empty ones are left out
            await self._read_each(silent)
        with self._session.transaction() as connection:
            markers.extend_span(connection, self._session.account, since, began)
        self._looked_at = began

    async def _read_each(self, ids: Iterable[int]) -> None:
        with self._session.autocommit() as connection:
            known = self._read | markers.marked(connection, self._session.account)
        for ro_id in ids:
            if ro_id not in known and (order := await self._roapp.order(ro_id)) is not None:
                self._note([order])
                self._read.add(ro_id)

    def _note(self, page: Iterable[RoOrder]) -> None:
        with self._session.transaction() as connection:
            for order in page:
                if token := self.read(order):
                    markers.note(connection, self._session.account, order.id, *token)
