"""The order lines as a set of (product, price) with absolute quantities, so that a twin can't appear. Their prices and
discounts add up to the shop's total (`orders.pricing`). All of it may be called twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoItem
from cartum_roapp.config import ShopConfig
from cartum_roapp.delivery.bound import Bound
from cartum_roapp.delivery.items import match
from cartum_roapp.delivery.known_lines import Key, KnownLines, Products
from cartum_roapp.delivery.once import Before, Once
from cartum_roapp.delivery.prices import AMOUNTS, DELIVERY, AccountDiscounts, wanted_lines
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord, Code, IntegrationError, Unclear
from cartum_roapp.ledger import held, totals
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.intents import Intent
from cartum_roapp.ledger.matches import LineMatch
from cartum_roapp.links import order_name
from cartum_roapp.orders.pricing import NO_DISCOUNT, Discount, LineDiscounts, PricedLine

#: How RO App may name a field of a line's discount.
_OF_DISCOUNTS = ("discount", "amount", "percentage", "sponsor")
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
        self._known = KnownLines(session, once, order, bound)
        self._wanted: dict[Key, PricedLine] = {}
        with session.autocommit() as connection:
            self._stuck = held.lines_of(connection, order.shop, order.number, Code.LINE_NOT_REMOVABLE)
        self._unclear: set[int] = set()
        self._sending: Discount | None = None

    async def bring(self, products: Products, assignee: Assignee) -> bool:
        """`assignee` is asked for each line that is added. False when goods were written off: then nothing is touched
        (design §2, P5)."""
        service = self._shop.delivery_service_id
        self._known.products = products if service is None else {**products, DELIVERY: service}
        discounts, refused = self._discounts.of(self._order), False
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
        known = self._known
        unsettled = self._once.unsettled_of("line", self._order.shop, self._order.number)
        self._unclear = self._unclear_changes()
        trusted = not unsettled and not self._unclear and not self._stuck and not self._bound.anew
        self._ask_for_total_again()
        if trusted and known.are(self._wanted):
            return True
        empty = self._bound.fresh and not known.ours
        known.items = () if empty else await self._roapp.items(self._bound.ro_id)
        self._look_at_stuck()
        if any(item.written_off for item in known.items):
            return False
        self._sending = None
        if self._bound.anew:
            known.see_as_shown(keeps_discounts=self._discounts.known in AMOUNTS)
        known.adopt(self._wanted)
        known.claim_unwanted(unsettled, self._wanted)
        for line in self._wanted.values():
            await self._bring_line(line, assignee)
        for key, gone in list(known.ours.items()):
            if key not in self._wanted and (gone.quantity or gone.discount or gone.item_id in self._unclear):
                await self._take_out(gone)
        return True

    def _unclear_changes(self) -> set[int]:
        """RO App's lines that may have, or get yet, what nobody has confirmed: also where the shop is back at what was
        sent before."""
        changes = self._once.unsettled_of("change", self._order.shop, self._order.number)
        named = [intent.identity.partition(" ") for intent in changes if not intent.is_confirmed]
        return {int(item_id) for what, _, item_id in named if what == "line"}

    def _look_at_stuck(self) -> None:
        """Lines that a person was to take out: whether that is done."""
        if not self._stuck:
            return
        left = {item.id for item in self._known.items if item.quantity}
        with self._session.transaction() as connection:
            for item_id in self._stuck:
                if item_id in left:
                    held.touch(connection, self._order.shop, "line", self._record(item_id))
                else:
                    self._removable(connection, item_id)

    async def _bring_line(self, line: PricedLine, assignee: Assignee) -> None:
        key = (line.product, line.price)
        known = self._known.ours.get(key) or self._known.of_another_price(line.product, self._wanted)
        unclear = known is not None and known.item_id in self._unclear
        if known is not None and known.discount is not None and known.priced == line and not unclear:
            return
        shown = known is not None and known.item_id in self._known.present
        if known is not None and not shown and _same_but_discount(known, line):
            with self._session.transaction() as connection:  # staff took it out; only its share of the discount changed
                self._known.bind(connection, replace(known, discount=line.discount))
            return
        if known is None or not shown:
            await self._add(line, await assignee())
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
            self._known.bind(connection, LineMatch(line.product, line.price, item_id, line.quantity, line.discount))
            self._removable(connection, item_id)  # the shop has the line again: nobody needs to remove it any more

        await self._change(item_id, body, bind)
        if (known.product, known.price) != key:
            del self._known.ours[known.product, known.price]

    async def _add(self, line: PricedLine, assignee: int) -> None:
        entity = self._known.products[line.product]
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

        async def find(intent: Intent) -> int | None:
            nonlocal made_as
            earlier.append(intent)
            item = await self._free_one_now(entity, line.price) or self._known.repriced(line, self._wanted.values())
            if item is None:
                return None
            made_as = match(line.product, item, line.price)  # it was sent for an older version of the order, maybe
            return item.id

        async def send(before: Before) -> int:
            made = await self._roapp.add_item(self._bound.ro_id, body, before=before)
            return await self._read_back(entity, line.price, again=bool(earlier)) if made is None else made

        def bind(connection: Connection, item_id: int) -> None:
            self._known.bind(connection, replace(made_as, item_id=item_id))

        identity = self._known.identity(line.product, line.price)
        operation = self._once.operation("line", identity, self._order.shop, self._order.number)
        await self._once.make(operation, find=find, send=send, bind=bind)

    async def _free_one_now(self, entity: int, price: Decimal) -> RoItem | None:
        """Reads RO App's lines; returns one that no line of ours owns, with this product at this price."""
        self._known.items = await self._roapp.items(self._bound.ro_id)
        return self._known.free_one(entity, price)

    async def _read_back(self, entity: int, price: Decimal, *, again: bool) -> int:
        """Returns the id of a line that RO App took without telling it: an id in the answer is promised in no source
        (roapp §7). Raises Unclear if RO App does not show it; when it was sent `again`, BadRecord `line-lost`: a third
        one would not be shown either."""
        try:
            item = await self._free_one_now(entity, price)
        except IntegrationError as error:
            raise _not_shown(error.message) from None
        if item is not None:
            return item.id
        if not again:
            raise _not_shown("it is not among the lines of the order")
        raise BadRecord(
            "RO App accepted a line but does not show it.", code=Code.LINE_LOST, fix="Add the line by hand in RO App."
        )

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

    async def _take_out(self, line: LineMatch) -> None:
        """No source knows how to delete a line (roapp §3.2): its quantity becomes 0 where RO App takes that,
        else a person is asked."""

        left: Discount | None = NO_DISCOUNT

        def bind(connection: Connection) -> None:
            self._known.bind(connection, LineMatch(line.product, line.price, line.item_id, Decimal(0), left))

        problem: BadRecord | None = None
        try:
            if line.item_id in self._known.present:
                body: dict[str, object] = {"quantity": 0}
                unclear = line.item_id in self._unclear  # RO App may have another price and discount by now
                if unclear:
                    body["price"] = _number(line.price)
                if unclear or line.discount != NO_DISCOUNT:  # an amount would be taken off the others
                    body["discount"] = self._discount(PricedLine(line.product, line.price, Decimal(0)))
                await self._change(line.item_id, body, bind)
                return
        except BadRecord as error:
            left = None  # it is there still, with its discount
            name = order_name(self._bound.ro_id, self._bound.match.roapp_number)
            gone = f"{line.product.partition(':')[2]}, {_number(line.quantity)} × {line.price:.2f}"
            problem = BadRecord(
                f"the order has a line no more ({gone}); RO App does not let it go.",
                code=Code.LINE_NOT_REMOVABLE,
                field=error.field,
                fix=f"Remove that line of RO App order {name} by hand (its id is {line.item_id}).",
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

    def _ask_for_total_again(self) -> None:
        """A person may have corrected in RO App what its total differed by."""
        with self._session.autocommit() as connection:
            if not held.code(connection, self._order.shop, "total", self._order.number):
                return
            if self._order.gone_at:  # the shop has no total any more
                held.clear(connection, self._order.shop, "total", [self._order.number])
            else:
                totals.ask(connection, self._order.shop, self._order.number)

    def _removable(self, connection: Connection, item_id: int) -> None:
        held.clear(connection, self._order.shop, "line", [self._record(item_id)])

    def _record(self, item_id: int) -> str:
        """The line as a held record."""
        return f"{self._order.number}/{item_id}"


def _same_but_discount(known: LineMatch, line: PricedLine) -> bool:
    return (known.price, known.quantity) == (line.price, line.quantity)


def _not_shown(why: str) -> Unclear:
    """RO App took the line, so it is looked for again before it is sent again."""
    return Unclear(f"RO App accepted a line without telling its id: {why}", answered=True)


def _number(value: Decimal) -> float | int:
    """Requests take numbers (roapp §2); an exact decimal of 15 digits survives as a float."""
    return int(value) if value == value.to_integral_value() else float(value)
