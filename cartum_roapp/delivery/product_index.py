"""RO App's catalogue as it was last read, and when it is read again: no search is documented (roapp §3.4)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.product_prices import PriceType
from cartum_roapp.delivery.doubt import utc_now
from cartum_roapp.delivery.identities import Identity, catalogue_row
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.ledger import catalogue
from cartum_roapp.ledger.catalogue import CatalogueRow

#: What an older reading lacks is looked for in a new one.
FRESH_FOR = timedelta(minutes=2)
#: Staff give articles to other products: a reading that is so old is repeated.
OLD_AFTER = timedelta(days=1)
#: A reading is not repeated before this many times its duration: it uses at most a fifth of the account's calls where a
#: new product waits for it (design §2, P4), a twentieth where only staff can help.
_PAUSE, _PAUSE_FOR_STAFF = 4, 19
_ROWS = 50


class ProductIndex:
    """Looks products up by what they are known by. `interval`: seconds between two calls of the account."""

    def __init__(self, session: AccountSession, roapp: RoApp, interval: float) -> None:
        self._session = session
        self._roapp = roapp
        self._interval = interval
        self._reading = asyncio.Lock()
        self._began: datetime | None = None
        self._made: list[CatalogueRow] = []
        self._price_types: Counter[PriceType] = Counter()

    def carriers(self, keys: Iterable[Identity]) -> dict[Identity, list[int]]:
        """Returns RO App's ids of all products that had each identity at the last reading."""
        identities = list(keys)
        found: dict[Identity, list[int]] = {}
        with self._session.autocommit() as connection:
            for by in {one.by for one in identities}:
                same = [one for one in identities if one.by == by]
                values = [value for one in same for value in one.values]
                rows = catalogue.find(connection, self._session.account, by, values)
                found.update((one, one.of(rows)) for one in same)
        return found

    def has(self, ro_id: int) -> bool:
        """Returns whether the last reading shows this product."""
        with self._session.autocommit() as connection:
            return catalogue.has(connection, self._session.account, ro_id)

    def is_due(self, *, only_staff_help: bool) -> bool:
        """Returns whether a new reading is worth its calls for what the last one does not show. The first look of a run
        is always a new one, as a backup may have been restored; except for what only staff can fix."""
        with self._session.autocommit() as connection:
            read_at = catalogue.read_at(connection, self._session.account)
            rows = catalogue.count(connection, self._session.account)
        if read_at is None or (self._began is None and not only_staff_help):
            return True
        takes = timedelta(seconds=(rows // _ROWS + 1) * self._interval)
        pause = takes * _PAUSE_FOR_STAFF if only_staff_help else max(FRESH_FOR, takes * _PAUSE)
        return utc_now() - read_at > pause

    async def read_if_due(self, *, only_staff_help: bool = False) -> None:
        """Reads the catalogue if that is worth its calls; whoever asks meanwhile waits for the same reading."""
        async with self._reading:
            if self.is_due(only_staff_help=only_staff_help):
                await self._read()

    async def read(self) -> None:
        """Reads the catalogue. One reading serves all that asked before it began."""
        asked = utc_now()
        async with self._reading:
            if self._began is None or self._began < asked:
                await self._read()

    async def _read(self) -> None:
        began, rows, price_types = utc_now(), dict[int, CatalogueRow](), Counter[PriceType]()
        self._made.clear()
        async for page in self._roapp.walk_products():
            rows.update((product.id, catalogue_row(product)) for product in page)
            price_types.update(product.price_type for product in page if product.price_type is not None)
        with self._session.transaction() as connection:
            # The pages that were read before a product was made do not show it.
            unseen = [row for row in self._made if row.ro_id not in rows]
            catalogue.replace(connection, self._session.account, [*rows.values(), *unseen], began)
        self._began, self._price_types = began, price_types

    def add(self, connection: Connection, row: CatalogueRow) -> None:
        """Adds a product that was just made or read, in the transaction that stores it."""
        catalogue.add(connection, self._session.account, row)
        self._made.append(row)

    async def read_if_old(self) -> None:
        """Reads the catalogue again if it was read, but not for a day."""
        with self._session.autocommit() as connection:
            read_at = catalogue.read_at(connection, self._session.account)
        if read_at is not None and utc_now() - read_at > OLD_AFTER:
            await self.read()

    @property
    def price_type(self) -> PriceType | None:
        """Returns the type of price that most products have first; None if this run has seen no price."""
        return next((type_ for type_, _ in self._price_types.most_common(1)), None)
