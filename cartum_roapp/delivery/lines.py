"""The order lines as a set of (product, price) with absolute quantities, so that a twin can't appear."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from decimal import Decimal

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoItem
from cartum_roapp.delivery.markers import marker
from cartum_roapp.delivery.once import Before, Once
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord, IntegrationError, Unclear
from cartum_roapp.ledger import held, intents, matches
from cartum_roapp.ledger.intents import Intent
from cartum_roapp.ledger.matches import LineMatch
from cartum_roapp.ledger.release import STUCK
from cartum_roapp.ledger.wanted import WantedLine, WantedOrder

Key = tuple[str, Decimal]
Assignee = Callable[[], Awaitable[int]]


class OrderLines:
    """Brings the lines of one RO App order to what the shop has. Lines that staff added stay; a line that
    staff changed is touched only when the shop's line changed since it was sent."""

    def __init__(self, session: AccountSession, roapp: RoApp, once: Once) -> None:
        self._session = session
        self._roapp = roapp
        self._once = once

    async def bring(
        self, order: WantedOrder, ro_id: int, products: Mapping[str, int], assignee: Assignee, *, fresh: bool
    ) -> bool:
        """`products`: line's product → RO App's; `assignee` is asked for each line that is added; `fresh`: the order
        was made just now, so it has no lines.

        False when goods were written off: then nothing is touched (design §2, P5). May be called twice.
        """
        account = self._session.account
        with self._session.transaction() as connection:
            ours = {(line.product, line.price): line for line in matches.lines(connection, order.shop, order.number)}
            unsettled = intents.unsettled_of(connection, account, "line", order.shop, order.number)
            stuck = held.lines_of(connection, order.shop, order.number, STUCK)
        wanted = {(line.product, line.price): line for line in order.lines}
        if not unsettled and not stuck and _quantities(ours) == {key: line.quantity for key, line in wanted.items()}:
            return True
        items = [] if fresh else await self._roapp.items(ro_id)
        self._look_at_stuck(order, stuck, items)
        if any(item.written_off for item in items):
            return False
        self._adopt(order, ours, wanted, products, items)
        self._claim_unwanted(order, ours, wanted, products, items, unsettled)
        present = {item.id for item in items}
        for key, line in wanted.items():
            await self._bring_line(order, ro_id, ours, key, line, wanted, products[line.product], assignee, present)
        unwanted = [line for key, line in ours.items() if key not in wanted and line.quantity]
        await self._take_out(order, ro_id, unwanted, present)
        return True

    def _look_at_stuck(self, order: WantedOrder, stuck: Sequence[int], items: Sequence[RoItem]) -> None:
        """Lines that a person was to take out: whether that is done."""
        left = {item.id for item in items if item.quantity}
        with self._session.transaction() as connection:
            for item_id in stuck:
                record = f"{order.number}/{item_id}"
                if item_id in left:
                    held.touch(connection, order.shop, "line", record)
                else:
                    held.clear(connection, order.shop, "line", [record])

    def _adopt(
        self,
        order: WantedOrder,
        ours: dict[Key, LineMatch],
        wanted: Mapping[Key, WantedLine],
        products: Mapping[str, int],
        items: Sequence[RoItem],
    ) -> None:
        """Items that no line of ours owns are matched by (product, price) before anything is added. In an order
        of which no line is known (of an earlier life of the ledger) then by product alone: its price changed since."""
        free = _free(items, ours)
        left = [line for key, line in wanted.items() if key not in ours]
        for by_price in (True,) if ours else (True, False):
            for line in list(left):
                entity = products[line.product]
                same = [item for item in free if _carries(item, entity, line.price if by_price else None)]
                if same:
                    free.remove(same[0])
                    left.remove(line)
                    price = line.price if by_price else same[0].price
                    self._bind(order, ours, LineMatch(line.product, price, same[0].id, same[0].quantity), entity)

    def _claim_unwanted(
        self,
        order: WantedOrder,
        ours: dict[Key, LineMatch],
        wanted: Mapping[Key, WantedLine],
        products: Mapping[str, int],
        items: Sequence[RoItem],
        unsettled: Sequence[Intent],
    ) -> None:
        """A line whose adding ended unclear and that the shop took out since is ours all the same. Raises Later
        while it may still arrive."""
        expected = {_identity(order, line.product, line.price, products[line.product]) for line in wanted.values()}
        for intent in unsettled:
            if intent.identity in expected:
                continue
            product, price, entity = _parts(order, intent)
            same = [item for item in _free(items, ours) if _carries(item, entity, price)]
            if same:
                self._bind(order, ours, LineMatch(product, price, same[0].id, same[0].quantity), entity)
            else:
                self._once.give_up(intent)

    async def _bring_line(
        self,
        order: WantedOrder,
        ro_id: int,
        ours: dict[Key, LineMatch],
        key: Key,
        line: WantedLine,
        wanted: Mapping[Key, WantedLine],
        entity: int,
        assignee: Assignee,
        present: set[int],
    ) -> None:
        known = ours.get(key)
        if known is None:
            # The same product at another price that the shop no longer has: the price changed.
            known = next((one for one in ours.values() if one.product == line.product
                          and (one.product, one.price) not in wanted and one.item_id in present), None)  # fmt: skip
        if known is not None and (known.price, known.quantity) == (line.price, line.quantity):
            return
        if known is not None and known.item_id in present:
            body: dict[str, object] = {"quantity": _number(line.quantity)}
            if known.price != line.price:
                body["price"] = _number(line.price)
            await self._change(order, ro_id, known.item_id, body)
            ours.pop((known.product, known.price), None)
            self._bind(order, ours, LineMatch(line.product, line.price, known.item_id, line.quantity))
            self._removable(order, known.item_id)
            return
        await self._add(order, ro_id, ours, line, entity, assignee)

    async def _add(
        self,
        order: WantedOrder,
        ro_id: int,
        ours: dict[Key, LineMatch],
        line: WantedLine,
        entity: int,
        assignee: Assignee,
    ) -> None:
        body: dict[str, object] = {
            "entity_id": entity,
            "assignee_id": await assignee(),
            "quantity": _number(line.quantity),
            "price": _number(line.price),
            "cost": 0,
            "discount": {"type": "percentage", "percentage": 0, "amount": 0, "sponsor": "staff"},
            "warranty": {"period": "0", "periodUnits": "days"},
        }

        repeated = False

        async def find(intent: Intent) -> int | None:
            nonlocal repeated
            repeated = True
            return await shown()

        async def shown() -> int | None:
            owned = {known.item_id for known in ours.values()}
            for item in await self._roapp.items(ro_id):
                if _carries(item, entity, line.price) and item.id not in owned:
                    return item.id
            return None

        async def send(before: Before) -> int:
            made = await self._roapp.add_item(ro_id, body, before=before)
            if made is not None:
                return made
            # An id in the answer is promised in no source (roapp §7): read it back.
            try:
                made = await shown()
            except IntegrationError as error:
                raise _not_shown(error.message) from None
            if made is None and not repeated:
                raise _not_shown("it is not among the lines of the order")
            if made is None:  # the second one: a third would not be shown either
                raise BadRecord(
                    "RO App accepted a line but does not show it.",
                    code="line-lost",
                    fix="Add the line by hand in RO App.",
                )
            return made

        def bind(connection: Connection, item_id: int) -> None:
            matches.bind_line(
                connection, order.shop, order.number, LineMatch(line.product, line.price, item_id, line.quantity)
            )

        item_id = await self._once.make(
            "line",
            _identity(order, line.product, line.price, entity),
            shop=order.shop,
            number=order.number,
            find=find,
            send=send,
            bind=bind,
        )
        ours[(line.product, line.price)] = LineMatch(line.product, line.price, item_id, line.quantity)

    async def _take_out(
        self, order: WantedOrder, ro_id: int, lines: Sequence[LineMatch], present: Collection[int]
    ) -> None:
        """No source knows how to delete a line (roapp §3.2): its quantity becomes 0 where RO App takes that,
        else a person is asked."""
        for line in lines:
            try:
                if line.item_id in present:
                    await self._change(order, ro_id, line.item_id, {"quantity": 0})
            except BadRecord as error:
                problem = BadRecord(
                    f"the shop took a line out; RO App does not let line {line.item_id} go.",
                    code=STUCK,
                    field=error.field,
                    fix=f"Remove line {line.item_id} of RO App order {ro_id} by hand.",
                )
                with self._session.transaction() as connection:
                    held.hold(
                        connection, shop=order.shop, entity="line", id=f"{order.number}/{line.item_id}", error=problem
                    )
            with self._session.transaction() as connection:
                matches.bind_line(
                    connection, order.shop, order.number, LineMatch(line.product, line.price, line.item_id, Decimal(0))
                )

    async def _change(self, order: WantedOrder, ro_id: int, item_id: int, body: dict[str, object]) -> None:
        await self._once.change(
            f"line {item_id}",
            shop=order.shop,
            number=order.number,
            send=lambda unanswered: self._roapp.update_item(ro_id, item_id, body, unanswered),
        )

    def _removable(self, order: WantedOrder, item_id: int) -> None:
        """The shop has the line again: nobody needs to remove it any more."""
        with self._session.transaction() as connection:
            held.clear(connection, order.shop, "line", [f"{order.number}/{item_id}"])

    def _bind(self, order: WantedOrder, ours: dict[Key, LineMatch], line: LineMatch, entity: int | None = None) -> None:
        with self._session.transaction() as connection:
            matches.bind_line(connection, order.shop, order.number, line)
            if entity is not None:
                identity = _identity(order, line.product, line.price, entity)
                intents.found(connection, self._session.account, "line", identity, line.item_id)
        ours[(line.product, line.price)] = line


def _identity(order: WantedOrder, product: str, price: Decimal, entity: int) -> str:
    return f"{marker(order.shop, order.number)} {product} {price:.4f} {entity}"


def _parts(order: WantedOrder, intent: Intent) -> tuple[str, Decimal, int]:
    """(product, price, RO App's product) of a line's intent."""
    rest, _, entity = intent.identity.removeprefix(f"{marker(order.shop, order.number)} ").rpartition(" ")
    product, _, price = rest.rpartition(" ")
    return product, Decimal(price), int(entity)


def _not_shown(why: str) -> Unclear:
    """RO App took the line, so it is looked for again before it is sent again."""
    return Unclear(f"RO App accepted a line without telling its id: {why}", answered=True)


def _free(items: Sequence[RoItem], ours: Mapping[Key, LineMatch]) -> list[RoItem]:
    owned = {line.item_id for line in ours.values()}
    return [item for item in items if item.id not in owned]


def _carries(item: RoItem, entity: int, price: Decimal | None) -> bool:
    """RO App keeps money with two decimals (roapp §2)."""
    return item.entity_id == entity and (price is None or round(item.price, 2) == round(price, 2))


def _quantities(lines: Mapping[Key, LineMatch]) -> dict[Key, Decimal]:
    return {key: line.quantity for key, line in lines.items() if line.quantity}


def _number(value: Decimal) -> float | int:
    """Requests take numbers (roapp §2); an exact decimal of 15 digits survives as a float."""
    return int(value) if value == value.to_integral_value() else float(value)
