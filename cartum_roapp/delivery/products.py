"""The line's product in RO App's catalogue: found by the shop's way of identifying products, else made
where the account allows it, else the order is held."""

from __future__ import annotations

import asyncio
import unicodedata
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoProduct
from cartum_roapp.config import Identifier, ShopConfig
from cartum_roapp.delivery.once import Before, Once, utc_now
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord, Code
from cartum_roapp.ledger import catalogue, intents, matches
from cartum_roapp.ledger.catalogue import CatalogueRow
from cartum_roapp.ledger.desired import DesiredLine, DesiredOrder
from cartum_roapp.ledger.intents import Intent, Operation

# What is missing or ambiguous in an older reading of the catalogue is looked for in a new one.
FRESH_FOR = timedelta(minutes=2)
_LONGEST_TITLE = 120  # roapp §7
_TAIL = 40
_LONGEST_IDENTITY = 600  # of four bytes each: PostgreSQL's index takes 2,704


def shortened(title: str) -> str:
    """A title as RO App gets it. Both ends of a long one stay: variants of a product often differ in the last words."""
    return title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - _TAIL - 1]}…{title[-_TAIL:]}"


def title_key(title: str) -> str:
    """A product's name as compared: one form of letters, case and spaces."""
    return " ".join(unicodedata.normalize("NFC", title).casefold().split())


def identity(line: DesiredLine, by: Identifier) -> tuple[Identifier, str]:
    """(field, value) that RO App's product is known by. A line without an article goes by its name, as
    does one without a barcode where barcodes decide."""
    if by in ("code", "sku") and line.article:
        return by, line.article
    if by == "barcode" and line.barcode:
        return by, line.barcode
    return "name", title_key(line.title)


class ProductBook:
    """Finds or makes products, one at a time: a second order with the same product waits for the first, one whose
    products are known does not."""

    def __init__(self, session: AccountSession, roapp: RoApp, once: Once) -> None:
        self._session = session
        self._roapp = roapp
        self._once = once
        self._lock = asyncio.Lock()
        self._read_here = False
        self._refused_here = 0

    async def resolve(self, order: DesiredOrder, shop: ShopConfig) -> dict[str, int]:
        """RO App's product id of each line's product. Raises BadRecord `product-ambiguous` or `product-missing`."""
        identities = {line.product: identity(line, shop.identify_products_by) for line in order.lines}
        known = self._known(*identities.values())
        return {
            line.product: known.get(_key(*identities[line.product])) or await self._resolve(order, line, shop)
            for line in order.lines
        }

    async def _resolve(self, order: DesiredOrder, line: DesiredLine, shop: ShopConfig) -> int:
        by, value = identity(line, shop.identify_products_by)
        async with self._lock:
            if known := self._known((by, value)):
                return known[_key(by, value)]
            found = await self._find(by, value)
            if found is None:
                return await self._create(order, line, by, value, shop)
            with self._session.transaction() as connection:
                matches.bind_product(connection, self._session.account, _key(by, value), found)
                intents.settle_found(connection, self._operation(order, by, value), found)
            return found

    def _known(self, *identities: tuple[Identifier, str]) -> dict[str, int]:
        with self._session.autocommit() as connection:
            return matches.products(connection, self._session.account, [_key(*one) for one in identities])

    def _operation(self, order: DesiredOrder, by: Identifier, value: str) -> Operation:
        return self._once.operation("product", _key(by, value), order.shop, order.number)

    async def all_with(self, known: str) -> list[int]:
        """Ids of all products that RO App has with this identity now, `"code:CAP-2"`."""
        await self._read_catalogue()
        by, _, value = known.partition(":")
        return self._read(cast(Identifier, by), value)[0]

    def forget(self, ro_id: int) -> None:
        """RO App refused this product as a line: it is searched anew, in a new reading of the catalogue."""
        with self._session.transaction() as connection:
            matches.unbind_product(connection, self._session.account, ro_id)
            catalogue.forget(connection, self._session.account)

    async def _find(self, by: Identifier, value: str) -> int | None:
        found, read_at = self._read(by, value)
        # The first look of a run is always a new one: a person may just have mended it, or a backup been restored.
        old = not self._read_here or read_at is None or utc_now() - read_at > FRESH_FOR
        if len(found) != 1 and old:
            await self._read_catalogue()
            found, _ = self._read(by, value)
        if len(found) > 1:
            raise BadRecord(
                f"{len(found)} products of RO App have this {by}: ids {', '.join(map(str, found[:10]))}.",
                code=Code.PRODUCT_AMBIGUOUS,
                field=by,
                fix=f"Give all but one of them another {by} in RO App; the order goes through by itself then.",
            )
        return found[0] if found else None

    def _read(self, by: Identifier, value: str) -> tuple[list[int], datetime | None]:
        """What the last reading has of this identity, and when it was (UTC); a product that we made has a long name
        shortened."""
        with self._session.autocommit() as connection:
            found = catalogue.find(connection, self._session.account, by, value)
            if not found and by == "name" and (short := shortened(value)) != value:
                found = catalogue.find(connection, self._session.account, by, short)
            return found, catalogue.read_at(connection, self._session.account)

    async def _read_catalogue(self) -> None:
        began = utc_now()
        rows = [_row(product) async for page in self._roapp.walk_products() for product in page]
        with self._session.transaction() as connection:
            catalogue.replace(connection, self._session.account, rows, began)
        self._read_here = True

    async def _create(
        self, order: DesiredOrder, line: DesiredLine, by: Identifier, value: str, shop: ShopConfig
    ) -> int:
        with self._session.autocommit() as connection:
            writes = catalogue.product_writes(connection, self._session.account)
            unstored = catalogue.made_before(connection, self._session.account, _key(by, value))
        if shop.missing_products == "hold" or writes == "refused":
            raise _missing(line, by, value, allowed=shop.missing_products != "hold")
        if unstored is not None:  # another one would be no better known by it
            raise _not_identifiable(unstored, by)
        body: dict[str, object] = {"title": shortened(line.title)}
        if line.article:
            body |= {"code": line.article, "sku": line.article}
        if line.barcode:
            body["barcodes"] = [line.barcode]
        if line.description:
            body["description"] = line.description
        account = self._session.account

        async def send(before: Before) -> int:
            return await self._roapp.create_product(body, before=before)

        def bind(connection: Connection, ro_id: int) -> None:
            matches.bind_product(connection, account, _key(by, value), ro_id)
            barcodes = (line.barcode,) if line.barcode else ()
            row = CatalogueRow(ro_id, title_key(shortened(line.title)), line.article, line.article, barcodes)
            catalogue.add(connection, account, row)

        async def find(intent: Intent) -> int | None:
            await self._read_catalogue()
            return await self._find(by, value)

        try:
            made = await self._once.make(self._operation(order, by, value), find=find, send=send, bind=bind)
        except BadRecord as error:
            if error.code == Code.NOT_AVAILABLE:
                self._refused_here += 1
                if writes != "works" or self._refused_here > 1:  # it made products before: once may be a slip
                    with self._session.transaction() as connection:
                        catalogue.note_product_writes(connection, account, "refused")
                raise _missing(line, by, value, allowed=True) from error
            raise
        kept = title_key(shortened(line.title)) if by == "name" else value
        await self._check(made, by, kept, first=writes == "unknown")
        return made

    async def _check(self, made: int, by: Identifier, value: str, *, first: bool) -> None:
        """Reads the product again: where its identity was not stored, the next order would make a second one,
        so creating stops on this account for a day, and the order waits until a person has given the product its
        identity."""
        product = await self._roapp.product(made)
        account = self._session.account
        if product is None and first:
            await self._read_catalogue()
            with self._session.autocommit() as connection:
                if not catalogue.has(connection, account, made):
                    return  # not seen anywhere yet: the next product that is made tells
                stored = made in catalogue.find(connection, account, by, value)
        else:
            stored = product is None or value in _identities(_row(product), by)
        with self._session.transaction() as connection:
            catalogue.note_product_writes(connection, account, "works" if stored else "refused")
            if not stored:
                matches.unbind_product(connection, account, made)
                if product is not None:
                    catalogue.add(connection, account, _row(product))
        if not stored:
            raise _not_identifiable(made, by)


def _key(by: Identifier, value: str) -> str:
    """An identity as the ledger stores it."""
    return f"{by}:{value}"


def _row(product: RoProduct) -> CatalogueRow:
    return CatalogueRow(
        product.id,
        _indexed(title_key(product.title)),
        _indexed(product.code.strip()),
        _indexed(product.sku.strip()),
        tuple(kept for barcode in product.barcodes if (kept := _indexed(barcode.strip()))),
    )


def _indexed(text: str) -> str:
    """What an index of the ledger is too small for identifies nothing; no shop's article is that long."""
    return text if len(text) <= _LONGEST_IDENTITY else ""


def _identities(row: CatalogueRow, by: Identifier) -> tuple[str, ...]:
    return {"code": (row.code,), "sku": (row.sku,), "barcode": row.barcodes, "name": (row.title_key,)}[by]


def _not_identifiable(made: int, by: Identifier) -> BadRecord:
    return BadRecord(
        f"RO App made product {made} but did not store its {by}.",
        code=Code.PRODUCT_NOT_IDENTIFIABLE,
        field=by,
        fix=f"Set the {by} of product {made} in RO App by hand; for a day no more products are made on this account.",
    )


def _missing(line: DesiredLine, by: Identifier, value: str, *, allowed: bool) -> BadRecord:
    what = f"{by} {value!r}" if by != "name" else f"name {line.title!r}"
    because = "RO App takes no new products from this integration" if allowed else "products are not created here"
    return BadRecord(
        f"RO App has no product with {what}, and {because}.",
        code=Code.PRODUCT_MISSING,
        field=by,
        fix="Create it in RO App; the order goes through by itself then.",
    )
