"""The line's product in RO App's catalogue: the one that a person chose, else found by the shop's way of identifying
products, else made where the account allows it, else the order is held."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from cartum_roapp.delivery import product_problems
from cartum_roapp.delivery.creation import Creations, wait_for
from cartum_roapp.delivery.doubt import utc_now
from cartum_roapp.delivery.identities import Identity, identities, name, names
from cartum_roapp.delivery.keyed_locks import KeyedLocks
from cartum_roapp.delivery.product_index import ProductIndex
from cartum_roapp.delivery.product_making import ProductMaker
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord, Code
from cartum_roapp.ledger import (
    catalogue,
    held,
    journal,
    product_links,
    shop_catalogue,
)
from cartum_roapp.ledger.desired import DesiredLine, DesiredOrder
from cartum_roapp.ledger.journal import Kind
from cartum_roapp.ledger.product_links import ProductLink
from cartum_roapp.shops import Identifier, ShopConfig

_ARTICLE: tuple[Identifier, ...] = ("code", "sku")
_AS_BEFORE = "as before"


class ProductBook:
    """Finds or makes products: a second order with a product that may be the same waits for the first."""

    def __init__(self, session: AccountSession, creations: Creations, index: ProductIndex, maker: ProductMaker) -> None:
        self._session = session
        self._creations = creations
        self._index = index
        self._maker = maker
        self._locks = KeyedLocks()

    async def resolve(self, order: DesiredOrder, shop: ShopConfig, *, new: bool) -> dict[str, int]:
        """RO App's product id of each line's product. `new`: RO App lacks the order. Raises BadRecord
        `product-ambiguous` or `product-missing`: of all that are missing."""
        before = self._links(order)
        found = _chosen(before)
        keys = {line.product: _keys(line, shop) for line in order.lines if line.product not in found}
        named = {product: ids[0] for product, ids in keys.items()}
        known = self._known(order.shop, named.values())
        lacking: dict[str, BadRecord] = {}
        how = dict.fromkeys(named, _AS_BEFORE) | dict.fromkeys(found, "chosen by a person")
        for line in order.lines:
            if line.product in found:
                continue
            try:
                if named[line.product] in known:
                    found[line.product] = known[named[line.product]]
                else:
                    found[line.product], how[line.product] = await self._resolve(order, line, keys[line.product], shop)
            except BadRecord as error:
                if error.code != Code.PRODUCT_MISSING:
                    raise
                lacking[line.product] = error
        changed = self._note(order, before, named, found, lacking)
        _note_products(order, {key: found[key] for key in (found if new else changed)}, how)
        if lacking:
            raise product_problems.all_of(list(lacking.values()))
        return found

    def chosen(self, order: DesiredOrder) -> dict[str, int]:
        """RO App's product of each of the order's products for which a person chose one: above everything else."""
        return _chosen(self._links(order))

    def _links(self, order: DesiredOrder) -> dict[str, ProductLink]:
        """What each of the order's products was last matched with, or what a person chose for it."""
        keys = {product_links.key(order.shop, line.product): line.product for line in order.lines}
        with self._session.autocommit() as connection:
            links = product_links.read(connection, self._session.account, keys)
        return {keys[key]: link for key, link in links.items()}

    async def _resolve(
        self, order: DesiredOrder, line: DesiredLine, keys: Sequence[Identity], shop: ShopConfig
    ) -> tuple[int, str]:
        """RO App's product, and how it was found, in words."""
        async with self._locks.held(*names(line, keys)):
            if known := self._known(order.shop, keys[:1]):
                return known[keys[0]], _AS_BEFORE
            found = self._carrier(keys[:1])
            may_make = _is_whole(line, shop) and self._maker.may_make(shop)
            found = found or await self._find(order, line, keys, shop, may_make=may_make)
            if found is None and (doubts := self._creations.in_doubt("product", map(name, keys))):
                looked_at = utc_now()
                await self._index.read()
                found = self._carrier(keys[:1]) or self._by_another_field(order, line, keys, shop)
                if found is None:
                    wait_for(doubts, looked_at)
            if found is None:
                if not _is_whole(line, shop):
                    raise product_problems.unread(line)
                return await self._maker.make(order, line, keys, shop), "made"
            with self._session.transaction() as connection:
                product_links.store(connection, self._session.account, [ProductLink(str(keys[0]), *found)])
                self._creations.end(connection, "product", name(keys[0]))
            return found

    def _known(self, shop: str, keys: Iterable[Identity]) -> dict[Identity, int]:
        """The stored decisions; one is void when RO App's catalogue has the identity at exactly one other product:
        staff gave it the article; or at none, and the product has another article of the shop by now."""
        identities = list(keys)
        with self._session.autocommit() as connection:
            links = product_links.read(connection, self._session.account, map(str, identities))
        stored = {key: link.ro_id for key, link in links.items() if link.reason != product_links.UNSTORED}
        carriers = self._index.carriers(one for one in identities if str(one) in stored)
        known = {one: stored[str(one)] for one, ids in carriers.items() if len(ids) != 1 or ids == [stored[str(one)]]}
        return {one: id for one, id in known.items() if carriers[one] or not self._is_another(shop, one, id)}

    def _is_another(self, shop: str, identity: Identity, ro_id: int) -> bool:
        """Whether this product, which lacks the article, has another one of the shop."""
        if identity.by not in _ARTICLE:
            return False
        with self._session.autocommit() as connection:
            return product_links.has_another_article(connection, self._session.account, shop, identity.value, ro_id)

    def _carrier(self, keys: Sequence[Identity]) -> tuple[int, str] | None:
        """The product of the first identity that exactly one has in the last reading, and which that is."""
        carriers = self._index.carriers(keys)
        return next(((carriers[one][0], f"by {one.by}") for one in keys if len(carriers[one]) == 1), None)

    def _linked(self, order: DesiredOrder, line: DesiredLine, first: Identity) -> tuple[int, str] | None:
        """The product that the shop's one was until its name or barcode changed in the shop; None where RO App has the
        new one elsewhere."""
        link = self._links(order).get(line.product)
        if link is None or link.reason.partition(":")[0] != first.by:
            return None
        if self._index.carriers([first])[first] or self._is_another(order.shop, first, link.ro_id):
            return None
        return link.ro_id, _AS_BEFORE

    async def _find(
        self, order: DesiredOrder, line: DesiredLine, keys: Sequence[Identity], shop: ShopConfig, *, may_make: bool
    ) -> tuple[int, str] | None:
        """The first identity that exactly one product has decides. What the last reading does not have, or not by the
        first identity, is looked for in a new one."""
        unclear = self._is_unclear(order, line, keys, shop)
        with self._session.autocommit() as connection:
            before = held.code(connection, order.shop, "order", order.number)
        only_staff_help = bool(unclear and before == Code.PRODUCT_AMBIGUOUS) or (
            not unclear and not may_make and before in (Code.PRODUCT_MISSING, Code.CATALOGUE_UNAVAILABLE)
        )
        await self._index.read_if_due(only_staff_help=only_staff_help)
        found = self._carrier(keys[:1]) or self._linked(order, line, keys[0])
        return found or self._by_another_field(order, line, keys, shop)

    def _is_unclear(self, order: DesiredOrder, line: DesiredLine, keys: Sequence[Identity], shop: ShopConfig) -> bool:
        """Whether the last reading leaves open which of several products it is, or whose the only one is."""
        try:
            self._by_another_field(order, line, keys, shop)
        except BadRecord:
            return True
        return False

    def _by_another_field(
        self, order: DesiredOrder, line: DesiredLine, keys: Sequence[Identity], shop: ShopConfig
    ) -> tuple[int, str] | None:
        """The product of the first identity that exactly one has, where the first of all identifies none. What is
        another article's is passed over: sizes of one model share their name. Raises BadRecord `product-ambiguous`
        where several have it, or where other articles of the shop would be the same product by it."""
        several = None
        for place, (one, ids) in enumerate(self._free(order, line, keys)):
            if len(ids) == 1:
                if place and (twins := self._twins(order, line, one)):
                    raise product_problems.shared(one, ids[0], twins, line, shop.slug)
                return ids[0], f"by {one.by}"
            several = several or ((one, ids) if ids else None)
        if several:
            raise product_problems.ambiguous(*several, line, shop.slug)
        return None

    def _free(
        self, order: DesiredOrder, line: DesiredLine, keys: Sequence[Identity]
    ) -> list[tuple[Identity, list[int]]]:
        """RO App's products of each identity; by others than the first only what is no other article's."""
        carriers = self._index.carriers(keys)
        ids = {ro_id for one in keys[1:] for ro_id in carriers[one]}
        with self._session.autocommit() as connection:
            taken = product_links.of_others(connection, self._session.account, order.shop, line.product, ids)
        return [
            (one, [ro_id for ro_id in carriers[one] if not place or ro_id not in taken])
            for place, one in enumerate(keys)
        ]

    def _twins(self, order: DesiredOrder, line: DesiredLine, identity: Identity) -> list[str]:
        """Other articles of the shop that have this name or barcode, and no product of their own."""
        title = line.title if identity.by == "name" else ""
        barcode = line.barcode if identity.by == "barcode" else ""
        with self._session.autocommit() as connection:
            twins = shop_catalogue.twins(connection, order.shop, line.product, title=title, barcode=barcode)
        own = self._index.carriers(Identity(by, article) for article in twins for by in _ARTICLE)
        return [article for article in twins if not any(own[Identity(by, article)] for by in _ARTICLE)]

    def _note(
        self,
        order: DesiredOrder,
        before: Mapping[str, ProductLink],
        named: Mapping[str, Identity],
        found: Mapping[str, int],
        lacking: Collection[str],
    ) -> Collection[str]:
        """Notes which product of RO App each of the shop's is, none where it lacks it. Returns those that are another
        than before."""
        links = {
            product: ProductLink(product_links.key(order.shop, product), ro_id, str(named[product]))
            for product, ro_id in found.items()
            if product not in _chosen(before)
        }
        changed = {product: link for product, link in links.items() if before.get(product) != link}
        lost = [link.key for product, link in before.items() if product in lacking]
        if changed or lost:
            with self._session.transaction() as connection:
                product_links.store(connection, self._session.account, changed.values())
                product_links.drop(connection, self._session.account, lost)
        return changed

    async def all_with(self, known: str) -> list[int]:
        """Ids of all products that RO App has with this identity now, `"code:cap-2"`."""
        await self._index.read()
        identity = Identity.parse(known)
        return self._index.carriers([identity])[identity]

    def forget(self, ro_id: int) -> None:
        """RO App refused this product as a line: it is searched for again, in a new reading of the catalogue."""
        with self._session.transaction() as connection:
            product_links.remove(connection, self._session.account, ro_id)
            catalogue.forget(connection, self._session.account)


def _is_whole(line: DesiredLine, shop: ShopConfig) -> bool:
    """Whether all that identifies the line's product is known. The barcode is in the shop's catalogue only."""
    return line.catalogued or "barcode" not in shop.identify_products_by


def _keys(line: DesiredLine, shop: ShopConfig) -> tuple[Identity, ...]:
    """What the line's product is known by: what goes before the barcode where that is not known. Raises BadRecord
    `catalogue-unavailable` where that is nothing."""
    by = shop.identify_products_by
    if _is_whole(line, shop):
        return identities(line, by)
    if not (before := by[: by.index("barcode")]):
        raise product_problems.unread(line)
    return identities(line, before)


def _chosen(links: Mapping[str, ProductLink]) -> dict[str, int]:
    return {product: link.ro_id for product, link in links.items() if link.chosen_at}


def _note_products(order: DesiredOrder, found: Mapping[str, int], how: Mapping[str, str]) -> None:
    titles = {line.product: line.title for line in order.lines}
    products = [{"title": titles[key], "roapp_id": id, "how": how[key]} for key, id in found.items()]
    if products:
        journal.buffer(order.shop, order.number, Kind.PRODUCTS, products=products)
