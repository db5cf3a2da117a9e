"""Makes a product in RO App's catalogue from the shop's, with everything that identifies it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.sending import Before
from cartum_roapp.delivery import product_problems
from cartum_roapp.delivery.creation import Creations
from cartum_roapp.delivery.identities import Identity, catalogue_row, names, shortened, title_key
from cartum_roapp.delivery.product_index import ProductIndex
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord, Code
from cartum_roapp.ledger import catalogue, product_links, shop_catalogue
from cartum_roapp.ledger.catalogue import CatalogueRow
from cartum_roapp.ledger.creations import Thing
from cartum_roapp.ledger.desired import DesiredLine, DesiredOrder
from cartum_roapp.ledger.product_links import UNSTORED, ProductLink
from cartum_roapp.shops import Identifier, ShopConfig

#: What a product may be made without: no source says which fields RO App takes (roapp §3.4).
_DISPENSABLE = ("prices", "category_id", "description")
#: What identifies a product, by what it is called there; those that did not decide are as dispensable.
_IDENTIFYING: dict[Identifier, str] = {"code": "code", "sku": "sku", "barcode": "barcodes"}


class ProductMaker:
    """Makes products, each once, and learns whether the account takes them and stores what identifies them."""

    def __init__(self, session: AccountSession, roapp: RoApp, creations: Creations, index: ProductIndex) -> None:
        self._session = session
        self._roapp = roapp
        self._creations = creations
        self._index = index
        self._trying = asyncio.Lock()
        self._works = False
        self._refused_here = 0

    def may_make(self, shop: ShopConfig) -> bool:
        """Returns whether a missing product is made, as far as is known."""
        return shop.missing_products != "hold" and self._writes() != "refused"

    async def make(
        self, order: DesiredOrder, line: DesiredLine, identities: Sequence[Identity], shop: ShopConfig
    ) -> int:
        """Returns the id of the new product, which is bound to the first identity. Raises BadRecord `product-missing`
        where the shop or the account makes none, `product-not-identifiable` where RO App did not store the identity."""
        async with self._trying:  # one product of each run shows whether the account takes them now
            if not self._works:
                return await self._make(order, line, identities, shop)
        return await self._make(order, line, identities, shop)

    async def _make(
        self, order: DesiredOrder, line: DesiredLine, identities: Sequence[Identity], shop: ShopConfig
    ) -> int:
        first, writes, account = identities[0], self._writes(), self._session.account
        if not self.may_make(shop):
            raise product_problems.missing(line, first, allowed=shop.missing_products != "hold")
        with self._session.autocommit() as connection:
            known = product_links.read(connection, account, [str(first)]).get(str(first))
        if known and known.reason == UNSTORED and self._index.has(known.ro_id):
            raise _not_identifiable(known.ro_id, first)  # another product would be found by it no better

        def link(connection: Connection, ro_id: int) -> None:
            product_links.store(connection, account, [ProductLink(str(first), ro_id, "made")])
            barcodes = (line.barcode,) if "barcodes" in body else ()
            code, sku = (line.article if name in body else "" for name in ("code", "sku"))
            self._index.add(connection, CatalogueRow(ro_id, title_key(shortened(line.title)), code, sku, barcodes))

        body = self._body(order, line, shop)
        thing = Thing("product", names(line, identities), order.shop, order.number)

        async def send(before: Before) -> int:
            return await self._roapp.create_product(body, before=before)

        while True:
            try:
                made = await self._creations.make(thing, send=send, link=link)
                break
            except BadRecord as error:
                if error.code == Code.NOT_AVAILABLE:
                    self._note_refusal(writes)
                    raise product_problems.missing(line, first, allowed=True) from error
                if not _drop_refused(body, error, first):
                    raise
        await self._check(made, first, is_first=writes == "unknown")
        self._works = True
        return made

    def _body(self, order: DesiredOrder, line: DesiredLine, shop: ShopConfig) -> dict[str, object]:
        body: dict[str, object] = {"title": shortened(line.title)}
        if line.article:
            body |= {"code": line.article, "sku": line.article}
        if line.barcode:
            body["barcodes"] = [line.barcode]
        if line.description:
            body["description"] = line.description
        if shop.product_category_id is not None:
            body["category_id"] = shop.product_category_id
        if (type_ := self._index.price_type) is not None:
            body["prices"] = type_.at(self._price(order, line))
        return body

    def _price(self, order: DesiredOrder, line: DesiredLine) -> Decimal:
        """The shop's, or the line's where that may be in another currency."""
        with self._session.autocommit() as connection:
            doubtful = shop_catalogue.is_sold_in_another_currency(connection, order.shop, line.product, order.currency)
        return line.price if doubtful else line.listed_price

    def _note_refusal(self, writes: str) -> None:
        """Stops creation for a day. An account that made products before may have failed once."""
        self._refused_here += 1
        if writes != "works" or self._refused_here > 1:
            with self._session.transaction() as connection:
                catalogue.note_product_writes(connection, self._session.account, "refused")

    def _writes(self) -> str:
        with self._session.autocommit() as connection:
            return catalogue.product_writes(connection, self._session.account)

    async def _check(self, made: int, identity: Identity, *, is_first: bool) -> None:
        """Reads the product again: where its identity was not stored, the next order would make a second one,
        so creating stops on this account for a day, and the order waits until a person has given the product its
        identity."""
        product = await self._roapp.product(made)
        account = self._session.account
        if product is None and is_first:
            await self._index.read()
            if not self._index.has(made):
                return  # not seen anywhere yet: the next product that is made shows it
            stored = made in self._index.carriers([identity])[identity]
        else:
            stored = product is None or identity.fits(catalogue_row(product))
        with self._session.transaction() as connection:
            catalogue.note_product_writes(connection, account, "works" if stored else "refused")
            if not stored:
                product_links.store(connection, account, [ProductLink(str(identity), made, UNSTORED)])
                if product is not None:
                    self._index.add(connection, catalogue_row(product))
        if not stored:
            raise _not_identifiable(made, identity)


def _drop_refused(body: dict[str, object], error: BadRecord, first: Identity) -> bool:
    """Takes out what RO App refused; where it names no field, everything dispensable, then what identifies besides
    `first`. Returns whether there is less to send now."""
    if error.code != Code.REFUSED:
        return False
    besides = [name for by, name in _IDENTIFYING.items() if by != first.by]
    for dropped in (_DISPENSABLE, besides):
        refused = [name for name in dropped if error.field is None or _is_named(name, error.field)]
        gone = [body.pop(name) for name in refused if name in body]
        if gone:
            return True
    return False


def _is_named(name: str, field: str) -> bool:
    if name == "code":  # which is in "barcodes", too
        return name in re.split(r"\W+", field)
    return name.removesuffix("_id").removesuffix("s") in field


def _not_identifiable(made: int, identity: Identity) -> BadRecord:
    return BadRecord(
        f"RO App made product {made} but did not store its {identity.by}.",
        code=Code.PRODUCT_NOT_IDENTIFIABLE,
        field=identity.by,
        fix=f"Set the {identity.by} of product {made} in RO App by hand; for a day no more products are made on this "
        "account.",
    )
