"""Which lines of an RO App order are which of the shop's lines: those that the ledger knows, and those that RO App
turns out to have. Writes nothing to RO App; all of it may be called twice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import Connection

from cartum_roapp.apis.roapp.rows import RoItem
from cartum_roapp.delivery.bound import Bound
from cartum_roapp.delivery.items import carries, goods_of, match
from cartum_roapp.delivery.markers import marker
from cartum_roapp.delivery.once import Once
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.ledger import intents, matches, totals
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.intents import Intent
from cartum_roapp.ledger.matches import LineMatch
from cartum_roapp.orders.pricing import PricedLine

#: (product, unit price)
Key = tuple[str, Decimal]
#: A line's product → RO App's.
Products = Mapping[str, int]
Wanted = Mapping[Key, PricedLine]


class KnownLines:
    """`ours`: the shop's lines as they were sent last, with RO App's ids. `items`: RO App's lines as they were read
    last."""

    def __init__(self, session: AccountSession, once: Once, order: DesiredOrder, bound: Bound) -> None:
        self._session = session
        self._once = once
        self._order = order
        self._bound = bound
        self.products: Products = {}
        self.items: Sequence[RoItem] = ()
        with session.autocommit() as connection:
            known = matches.lines(connection, order.shop, order.number)
        self.ours = {(line.product, line.price): line for line in known}

    def are(self, wanted: Wanted) -> bool:
        """Returns whether what was sent last is all that is wanted, and nothing else."""
        sent = {key: line.priced for key, line in self.ours.items() if line.quantity and line.discount is not None}
        return sent == wanted and len(sent) == sum(1 for line in self.ours.values() if line.quantity)

    @property
    def present(self) -> set[int]:
        """The ids of RO App's lines."""
        return {item.id for item in self.items}

    def free(self) -> list[RoItem]:
        """RO App's lines that no line of ours owns."""
        owned = {line.item_id for line in self.ours.values()}
        return [item for item in self.items if item.id not in owned]

    def free_one(self, entity: int, price: Decimal) -> RoItem | None:
        """One of those, with this product of RO App at this price."""
        return next((item for item in self.free() if carries(item, entity, price)), None)

    def repriced(self, line: PricedLine, wanted: Iterable[PricedLine]) -> RoItem | None:
        """The only one of those with the line's product and quantity, at a price that no wanted line has: RO App added
        the line without an answer, and staff changed its price before we saw it. None if there are several."""
        prices = [(self.products[one.product], one.price) for one in wanted]
        entity = self.products[line.product]
        same = [item for item in self.free() if (item.entity_id, item.quantity) == (entity, line.quantity)]
        odd = [item for item in same if not any(carries(item, *one) for one in prices)]
        return odd[0] if len(same) == len(odd) == 1 else None

    def see_as_shown(self, *, keeps_discounts: bool) -> None:
        """What RO App shows of our lines takes the place of what was sent, so that what staff changed or took out is
        put right. Unless the account `keeps_discounts` as they are, one that it may have turned into something else
        counts as sent."""
        shown = {item.id: item for item in self.items}
        ours: dict[Key, LineMatch] = {}
        for key, line in self.ours.items():
            if line.item_id not in shown:
                continue
            seen = match(line.product, shown[line.item_id])
            if seen.discount is None or (line.discount and not keeps_discounts):
                seen = replace(seen, discount=line.discount)
            place = (seen.product, seen.price)
            taken = place in ours or (place != key and place in self.ours)
            ours[key if taken else place] = line if taken else seen
        self.ours = ours

    def adopt(self, wanted: Wanted) -> None:
        """Items that no line of ours owns are matched by (product, price) before anything is added. In an order
        of which no line is known (of an earlier life of the ledger) all are ours where they are exactly its goods,
        else they are matched by product alone, as its price changed since, then by price and quantity alone, as the
        shop's product is another one of RO App since."""
        free = self.free()
        if not self.ours and (same_goods := goods_of(free, list(wanted.values()), self.products)):
            for item, product in same_goods:
                self._found(match(product, item), self.products[product])
            return
        left, first = [line for key, line in wanted.items() if key not in self.ours], not self.ours
        for by_price in (True,) if self.ours else (True, False):
            for line in list(left):
                entity = self.products[line.product]
                same = [item for item in free if carries(item, entity, line.price if by_price else None)]
                if same:
                    free.remove(same[0])
                    left.remove(line)
                    self._found(match(line.product, same[0], line.price if by_price else None), entity)
        for line in left if first else ():
            same = [item for item in free if (item.price, item.quantity) == (line.price, line.quantity)]
            if same:
                free.remove(same[0])
                self._found(match(line.product, same[0], line.price), self.products[line.product])

    def claim_unwanted(self, unsettled: Sequence[Intent], wanted: Wanted) -> None:
        """A line whose adding ended unclear and that the shop took out since is ours all the same. Raises Later
        while it may still arrive."""
        expected = {self.identity(line.product, line.price) for line in wanted.values()}
        for intent in unsettled:
            if intent.identity in expected:
                continue
            product, price, entity = self._parts(intent)
            item = self.free_one(entity, price)
            if item is not None:
                self._found(match(product, item, price), entity)
            else:
                self._once.settle_absent(intent)

    def of_another_price(self, product: str, wanted: Collection[Key]) -> LineMatch | None:
        """The line of this product at a price that the shop no longer has, where RO App has it: the price changed."""
        present = self.present
        gone = (line for key, line in self.ours.items() if key not in wanted and line.item_id in present)
        return next((line for line in gone if line.product == product), None)

    def bind(self, connection: Connection, line: LineMatch) -> None:
        """RO App's line is this one of the shop's from now on; the order's total is to be read back."""
        matches.bind_line(connection, self._order.shop, self._order.number, line)
        self.ours[line.product, line.price] = line
        if not self._bound.match.total_due:
            totals.ask(connection, self._order.shop, self._order.number)
            self._bound.match = replace(self._bound.match, total_due=True)

    def identity(self, product: str, price: Decimal, entity: int | None = None) -> str:
        """Names the adding of a line (`ledger.intents`). `entity`: RO App's product, where that is not the present
        one."""
        sold = self.products[product] if entity is None else entity
        return f"{marker(self._order.shop, self._order.number)} {product} {price:.4f} {sold}"

    def _parts(self, intent: Intent) -> tuple[str, Decimal, int]:
        """(product, price, RO App's product) of a line's intent."""
        ours = marker(self._order.shop, self._order.number)
        rest, _, entity = intent.identity.removeprefix(f"{ours} ").rpartition(" ")
        product, _, price = rest.rpartition(" ")
        return product, Decimal(price), int(entity)

    def _found(self, line: LineMatch, entity: int) -> None:
        """An item of RO App turned out to be this line."""
        identity = self.identity(line.product, line.price, entity)
        operation = self._once.operation("line", identity, self._order.shop, self._order.number)
        with self._session.transaction() as connection:
            self.bind(connection, line)
            intents.settle_found(connection, operation, line.item_id)
