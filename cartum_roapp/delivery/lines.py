"""The order lines as a set of (product, price) with absolute quantities, so that a twin can't appear. Their prices and
discounts add up to the shop's total (`orders.pricing`). All of it may be called twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoItem
from cartum_roapp.config import ShopConfig
from cartum_roapp.delivery.bound import Bound
from cartum_roapp.delivery.items import carries, goods_of, match
from cartum_roapp.delivery.markers import marker
from cartum_roapp.delivery.once import Before, Once
from cartum_roapp.delivery.prices import DELIVERY, AccountDiscounts, wanted_lines
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord, Code, IntegrationError, Unclear
from cartum_roapp.ledger import held, intents, matches, totals
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.intents import Intent
from cartum_roapp.ledger.matches import LineMatch
from cartum_roapp.orders.pricing import NO_DISCOUNT, Discount, LineDiscounts, PricedLine

Key = tuple[str, Decimal]
#: How RO App may name a field of a line's discount.
_OF_DISCOUNTS = ("discount", "amount", "percentage", "sponsor")
#: A line's product → RO App's.
Products = Mapping[str, int]
Assignee = Callable[[], Awaitable[int]]


class OrderLines:
    """Brings the lines of one RO App order to what the shop has. Lines that staff added stay; a line that
    staff changed is touched only when the shop's line changed since it was sent."""

    def __init__(
        self, session: AccountSession, roapp: RoApp, once: Once, discounts: AccountDiscounts, order: DesiredOrder,
        shop: ShopConfig, bound: Bound,
    ) -> None:  # fmt: skip
        self._session = session
        self._roapp = roapp
        self._once = once
        self._discounts = discounts
        self._order = order
        self._shop = shop
        self._bound = bound
        self._products: Products = {}
        self._wanted: dict[Key, PricedLine] = {}
        with session.autocommit() as connection:
            known = matches.lines(connection, order.shop, order.number)
            self._stuck = held.lines_of(connection, order.shop, order.number, Code.LINE_NOT_REMOVABLE)
        self._ours = {(line.product, line.price): line for line in known}
        self._items: Sequence[RoItem] = ()
        self._unclear: set[int] = set()
        self._sending: Discount | None = None

    async def bring(self, products: Products, assignee: Assignee) -> bool:
        """`assignee` is asked for each line that is added. False when goods were written off: then nothing is touched
        (design §2, P5)."""
        service = self._shop.delivery_service_id
        self._products = products if service is None else {**products, DELIVERY: service}
        discounts, refused = self._discounts.of(self._order, self._shop), False
        while True:
            wanted = wanted_lines(self._order, self._shop, discounts)
            self._wanted = {(line.product, line.price): line for line in wanted}
            try:
                kept = await self._bring(assignee)
            except BadRecord as error:
                instead = self._instead(error)
                if instead is None:
                    raise
                discounts, refused = instead, True
                continue
            if refused:
                with self._session.transaction() as connection:
                    self._discounts.learn(connection, discounts)
            return kept

    async def are_written_off(self) -> bool:
        """Returns whether goods of the order have left RO App's stock."""
        return any(item.written_off for item in await self._roapp.items(self._bound.ro_id))

    def _instead(self, error: BadRecord) -> LineDiscounts | None:
        """Returns what to try where RO App refused a discount, or a line with one for a reason that it does not name;
        otherwise None."""
        named = error.field is None or any(word in error.field for word in _OF_DISCOUNTS)
        if error.code != Code.REFUSED or not self._sending or not named:
            return None
        return LineDiscounts.PERCENTAGE if self._sending.amount else LineDiscounts.NONE

    async def _bring(self, assignee: Assignee) -> bool:
        unsettled = self._once.unsettled_of("line", self._order.shop, self._order.number)
        sent = {key: line.priced for key, line in self._ours.items() if line.quantity and line.discount is not None}
        self._unclear = self._unclear_changes()
        trusted = not unsettled and not self._unclear and not self._stuck and not self._bound.anew
        if trusted and sent == self._wanted and len(sent) == self._in_use():
            self._ask_for_total_again()
            return True
        empty = self._bound.fresh and not self._ours
        self._items = () if empty else await self._roapp.items(self._bound.ro_id)
        self._look_at_stuck()
        if any(item.written_off for item in self._items):
            return False
        self._sending = None
        if self._bound.anew:
            self._see_as_shown()
        self._adopt()
        self._claim_unwanted(unsettled)
        present = {item.id for item in self._items}
        for key, line in self._wanted.items():
            await self._bring_line(key, line, assignee, present)
        for key, gone in list(self._ours.items()):
            if key not in self._wanted and (gone.quantity or gone.item_id in self._unclear):
                await self._take_out(gone, present)
        return True

    def _unclear_changes(self) -> set[int]:
        """RO App's lines that may have, or get yet, what nobody has confirmed: also where the shop is back at what was
        sent before."""
        changes = self._once.unsettled_of("change", self._order.shop, self._order.number)
        named = [intent.identity.partition(" ") for intent in changes]
        return {int(item_id) for what, _, item_id in named if what == "line"}

    def _look_at_stuck(self) -> None:
        """Lines that a person was to take out: whether that is done."""
        if not self._stuck:
            return
        left = {item.id for item in self._items if item.quantity}
        with self._session.transaction() as connection:
            for item_id in self._stuck:
                if item_id in left:
                    held.touch(connection, self._order.shop, "line", self._record(item_id))
                else:
                    self._removable(connection, item_id)

    def _see_as_shown(self) -> None:
        """What RO App shows of our lines takes the place of what was sent, so that what staff changed or took out is
        put right. A discount that the account may have turned into something else counts as sent."""
        shown = {item.id: item for item in self._items}
        keeps = self._discounts.known in (LineDiscounts.PER_LINE, LineDiscounts.PER_UNIT)
        ours: dict[Key, LineMatch] = {}
        for key, line in self._ours.items():
            if line.item_id not in shown:
                continue
            seen = match(line.product, shown[line.item_id])
            if seen.discount is None or (line.discount and not keeps):
                seen = replace(seen, discount=line.discount)
            place = (seen.product, seen.price)
            taken = place in ours or (place != key and place in self._ours)
            ours[key if taken else place] = line if taken else seen
        self._ours = ours

    def _adopt(self) -> None:
        """Items that no line of ours owns are matched by (product, price) before anything is added. In an order
        of which no line is known (of an earlier life of the ledger) all are ours where they are exactly its goods,
        else they are matched by product alone: its price changed since."""
        free = self._free()
        if not self._ours and (same_goods := goods_of(free, list(self._wanted.values()), self._products)):
            for item, product in same_goods:
                self._found(match(product, item), self._products[product])
            return
        left = [line for key, line in self._wanted.items() if key not in self._ours]
        for by_price in (True,) if self._ours else (True, False):
            for line in list(left):
                entity = self._products[line.product]
                same = [item for item in free if carries(item, entity, line.price if by_price else None)]
                if same:
                    free.remove(same[0])
                    left.remove(line)
                    self._found(match(line.product, same[0], line.price if by_price else None), entity)

    def _claim_unwanted(self, unsettled: Sequence[Intent]) -> None:
        """A line whose adding ended unclear and that the shop took out since is ours all the same. Raises Later
        while it may still arrive."""
        expected = {
            self._identity(line.product, line.price, self._products[line.product]) for line in self._wanted.values()
        }
        for intent in unsettled:
            if intent.identity in expected:
                continue
            product, price, entity = self._parts(intent)
            same = [item for item in self._free() if carries(item, entity, price)]
            if same:
                self._found(match(product, same[0], price), entity)
            else:
                self._once.settle_absent(intent)

    async def _bring_line(self, key: Key, line: PricedLine, assignee: Assignee, present: Collection[int]) -> None:
        known = self._ours.get(key)
        if known is None:
            # The same product at another price that the shop no longer has: the price changed.
            gone = [one for key, one in self._ours.items() if key not in self._wanted and one.item_id in present]
            known = next((one for one in gone if one.product == line.product), None)
        unclear = known is not None and known.item_id in self._unclear
        if known is not None and known.discount is not None and known.priced == line and not unclear:
            return
        if known is not None and known.item_id not in present and _same_but_discount(known, line):
            with self._session.transaction() as connection:  # staff took it out; only its share of the discount changed
                self._bind(connection, replace(known, discount=line.discount))
            return
        if known is None or known.item_id not in present:
            await self._add(line, self._products[line.product], await assignee())
            return
        body: dict[str, object] = {}  # what the shop did not change stays as staff may have changed it
        if unclear or known.quantity != line.quantity:
            body["quantity"] = _number(line.quantity)
        if unclear or known.price != line.price:
            body["price"] = _number(line.price)
        if unclear or known.discount != line.discount:
            body["discount"] = self._discount(line)
        item_id = known.item_id

        def bind(connection: Connection) -> None:
            self._bind(connection, LineMatch(line.product, line.price, item_id, line.quantity, line.discount))
            self._removable(connection, item_id)  # the shop has the line again: nobody needs to remove it any more

        await self._change(item_id, body, bind)
        if (known.product, known.price) != key:
            del self._ours[known.product, known.price]

    async def _add(self, line: PricedLine, entity: int, assignee: int) -> None:
        body: dict[str, object] = {
            "entity_id": entity,
            "assignee_id": assignee,
            "quantity": _number(line.quantity),
            "price": _number(line.price),
            "cost": 0,
            "discount": self._discount(line),
            "warranty": {"period": "0", "periodUnits": "days"},
        }
        made_as = LineMatch(line.product, line.price, 0, line.quantity, line.discount)
        earlier: list[Intent] = []

        async def shown() -> RoItem | None:
            self._items = await self._roapp.items(self._bound.ro_id)
            return next((item for item in self._free() if carries(item, entity, line.price)), None)

        async def find(intent: Intent) -> int | None:
            nonlocal made_as
            earlier.append(intent)
            item = await shown()
            if item is None:
                return None
            made_as = match(line.product, item, line.price)  # it was sent for an older version of the order, maybe
            return item.id

        async def send(before: Before) -> int:
            made = await self._roapp.add_item(self._bound.ro_id, body, before=before)
            if made is not None:
                return made
            # An id in the answer is promised in no source (roapp §7): read it back.
            try:
                item = await shown()
            except IntegrationError as error:
                raise _not_shown(error.message) from None
            if item is None and not earlier:
                raise _not_shown("it is not among the lines of the order")
            if item is None:  # the second one: a third would not be shown either
                raise BadRecord(
                    "RO App accepted a line but does not show it.",
                    code=Code.LINE_LOST,
                    fix="Add the line by hand in RO App.",
                )
            return item.id

        def bind(connection: Connection, item_id: int) -> None:
            self._bind(connection, replace(made_as, item_id=item_id))

        identity = self._identity(line.product, line.price, entity)
        operation = self._once.operation("line", identity, self._order.shop, self._order.number)
        await self._once.make(operation, find=find, send=send, bind=bind)

    def _discount(self, line: PricedLine) -> dict[str, object]:
        """The line's discount as RO App takes it (roapp §3.2), noted as what is being sent."""
        self._sending = sent = line.discount
        self._discounts.note_sent(self._order, line)
        return {
            "type": "value" if sent.amount else "percentage",
            "percentage": _number(sent.percentage),
            "amount": _number(sent.amount),
            "sponsor": "company" if sent else "staff",
        }

    async def _take_out(self, line: LineMatch, present: Collection[int]) -> None:
        """No source knows how to delete a line (roapp §3.2): its quantity becomes 0 where RO App takes that,
        else a person is asked."""

        def bind(connection: Connection) -> None:
            self._bind(connection, LineMatch(line.product, line.price, line.item_id, Decimal(0)))

        problem: BadRecord | None = None
        try:
            if line.item_id in present:
                body: dict[str, object] = {"quantity": 0}
                if line.discount != NO_DISCOUNT:  # an amount would be taken off the others
                    body["discount"] = self._discount(PricedLine(line.product, line.price, Decimal(0)))
                await self._change(line.item_id, body, bind)
                return
        except BadRecord as error:
            problem = BadRecord(
                f"the shop took a line out; RO App does not let line {line.item_id} go.",
                code=Code.LINE_NOT_REMOVABLE,
                field=error.field,
                fix=f"Remove line {line.item_id} of RO App order {self._bound.ro_id} by hand.",
            )
        with self._session.transaction() as connection:
            if problem is not None:
                record = self._record(line.item_id)
                held.hold(connection, shop=self._order.shop, entity="line", id=record, error=problem)
            bind(connection)

    async def _change(self, item_id: int, body: dict[str, object], bind: Callable[[Connection], None]) -> None:
        await self._once.change(
            self._once.operation("change", f"line {item_id}", self._order.shop, self._order.number),
            send=lambda unclear: self._roapp.update_item(self._bound.ro_id, item_id, body, unclear),
            bind=bind,
        )

    def _found(self, line: LineMatch, entity: int) -> None:
        """An item of RO App turned out to be this line."""
        identity = self._identity(line.product, line.price, entity)
        operation = self._once.operation("line", identity, self._order.shop, self._order.number)
        with self._session.transaction() as connection:
            self._bind(connection, line)
            intents.settle_found(connection, operation, line.item_id)

    def _bind(self, connection: Connection, line: LineMatch) -> None:
        matches.bind_line(connection, self._order.shop, self._order.number, line)
        self._ours[line.product, line.price] = line
        if not self._bound.match.total_due:
            totals.ask(connection, self._order.shop, self._order.number)
            self._bound.match = replace(self._bound.match, total_due=True)

    def _ask_for_total_again(self) -> None:
        """A person may have corrected in RO App what its total differed by."""
        with self._session.autocommit() as connection:
            if held.code(connection, self._order.shop, "total", self._order.number):
                totals.ask(connection, self._order.shop, self._order.number)

    def _removable(self, connection: Connection, item_id: int) -> None:
        held.clear(connection, self._order.shop, "line", [self._record(item_id)])

    def _record(self, item_id: int) -> str:
        """The line as a held record."""
        return f"{self._order.number}/{item_id}"

    def _in_use(self) -> int:
        """How many lines of ours RO App has, those that were taken out not counted."""
        return sum(1 for line in self._ours.values() if line.quantity)

    def _free(self) -> list[RoItem]:
        """Items of RO App that no line of ours owns."""
        owned = {line.item_id for line in self._ours.values()}
        return [item for item in self._items if item.id not in owned]

    def _identity(self, product: str, price: Decimal, entity: int) -> str:
        return f"{marker(self._order.shop, self._order.number)} {product} {price:.4f} {entity}"

    def _parts(self, intent: Intent) -> tuple[str, Decimal, int]:
        """(product, price, RO App's product) of a line's intent."""
        ours = marker(self._order.shop, self._order.number)
        rest, _, entity = intent.identity.removeprefix(f"{ours} ").rpartition(" ")
        product, _, price = rest.rpartition(" ")
        return product, Decimal(price), int(entity)


def _same_but_discount(known: LineMatch, line: PricedLine) -> bool:
    return (known.price, known.quantity) == (line.price, line.quantity)


def _not_shown(why: str) -> Unclear:
    """RO App took the line, so it is looked for again before it is sent again."""
    return Unclear(f"RO App accepted a line without telling its id: {why}", answered=True)


def _number(value: Decimal) -> float | int:
    """Requests take numbers (roapp §2); an exact decimal of 15 digits survives as a float."""
    return int(value) if value == value.to_integral_value() else float(value)
