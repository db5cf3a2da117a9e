"""The order lines as a set of (product, price) with absolute quantities, so that a twin can't appear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoItem
from cartum_roapp.delivery.markers import marker
from cartum_roapp.delivery.once import Before, Once
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord
from cartum_roapp.ledger import held, intents, matches
from cartum_roapp.ledger.intents import Intent
from cartum_roapp.ledger.matches import LineMatch
from cartum_roapp.ledger.wanted import WantedLine, WantedOrder

Key = tuple[str, Decimal]


class OrderLines:
    """Brings the lines of one RO App order to what the shop has. Lines that staff added stay; a line that
    staff changed is touched only when the shop's line changed since it was sent."""

    def __init__(self, session: AccountSession, roapp: RoApp, once: Once) -> None:
        self._session = session
        self._roapp = roapp
        self._once = once

    async def bring(
        self, order: WantedOrder, ro_id: int, products: Mapping[str, int], assignee: int, *, fresh: bool
    ) -> bool:
        """`products`: line's product → RO App's; `fresh`: the order was made just now, so it has no lines.

        False when goods were written off: then nothing is touched (DESIGN §2, P5). May be called twice.
        """
        with self._session.transaction() as connection:
            ours = {(line.product, line.price): line for line in matches.lines(connection, order.shop, order.number)}
        wanted = {(line.product, line.price): line for line in order.lines}
        if _quantities(ours) == {key: line.quantity for key, line in wanted.items()}:
            return True
        items = [] if fresh else await self._roapp.items(ro_id)
        if any(item.written_off for item in items):
            return False
        self._adopt(order, ours, wanted, products, items)
        present = {item.id for item in items} | ({line.item_id for line in ours.values()} if fresh else set())
        for key, line in wanted.items():
            await self._bring_line(order, ro_id, ours, key, line, wanted, products[line.product], assignee, present)
        await self._take_out(order, ro_id, [line for key, line in ours.items() if key not in wanted and line.quantity])
        return True

    def _adopt(
        self,
        order: WantedOrder,
        ours: dict[Key, LineMatch],
        wanted: Mapping[Key, WantedLine],
        products: Mapping[str, int],
        items: Sequence[RoItem],
    ) -> None:
        """Items that no line of ours owns are matched by (product, price) before anything is added."""
        free = [item for item in items if item.id not in {line.item_id for line in ours.values()}]
        for key, line in wanted.items():
            if key in ours:
                continue
            same = [item for item in free if _carries(item, products[line.product], line.price)]
            if same:
                free.remove(same[0])
                self._bind(order, ours, LineMatch(line.product, line.price, same[0].id, same[0].quantity))

    async def _bring_line(
        self,
        order: WantedOrder,
        ro_id: int,
        ours: dict[Key, LineMatch],
        key: Key,
        line: WantedLine,
        wanted: Mapping[Key, WantedLine],
        entity: int,
        assignee: int,
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
            await self._roapp.update_item(ro_id, known.item_id, body)
            ours.pop((known.product, known.price), None)
            self._bind(order, ours, LineMatch(line.product, line.price, known.item_id, line.quantity))
            return
        await self._add(order, ro_id, ours, line, entity, assignee)

    async def _add(
        self, order: WantedOrder, ro_id: int, ours: dict[Key, LineMatch], line: WantedLine, entity: int, assignee: int
    ) -> None:
        body: dict[str, object] = {
            "entity_id": entity,
            "assignee_id": assignee,
            "quantity": _number(line.quantity),
            "price": _number(line.price),
            "cost": 0,
            "discount": {"type": "percentage", "percentage": 0, "amount": 0, "sponsor": "staff"},
            "warranty": {"period": "0", "periodUnits": "days"},
        }

        async def find(intent: Intent | None) -> int | None:
            owned = {known.item_id for known in ours.values()}
            for item in await self._roapp.items(ro_id):
                if _carries(item, entity, line.price) and item.id not in owned:
                    return item.id
            return None

        async def send(before: Before) -> int:
            made = await self._roapp.add_item(ro_id, body, before=before)
            if made is None:
                # Only an id is promised in no source (roapp §7): read it back.
                made = await find(None)
            if made is None:
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
            _identity(order, line.product, line.price),
            shop=order.shop,
            number=order.number,
            find=find,
            send=send,
            bind=bind,
        )
        ours[(line.product, line.price)] = LineMatch(line.product, line.price, item_id, line.quantity)

    async def _take_out(self, order: WantedOrder, ro_id: int, lines: Sequence[LineMatch]) -> None:
        """No source knows how to delete a line (roapp §3.2): its quantity becomes 0 where RO App takes that,
        else a person is asked."""
        for line in lines:
            try:
                await self._roapp.update_item(ro_id, line.item_id, {"quantity": 0})
            except BadRecord as error:
                problem = BadRecord(
                    f"the shop took a line out; RO App does not let line {line.item_id} go.",
                    code="line-not-removable",
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

    def _bind(self, order: WantedOrder, ours: dict[Key, LineMatch], line: LineMatch) -> None:
        with self._session.transaction() as connection:
            matches.bind_line(connection, order.shop, order.number, line)
            identity = _identity(order, line.product, line.price)
            intents.found(connection, self._session.account, "line", identity, line.item_id)
        ours[(line.product, line.price)] = line


def _identity(order: WantedOrder, product: str, price: Decimal) -> str:
    return f"{marker(order.shop, order.number)} {product} {price:.4f}"


def _carries(item: RoItem, entity: int, price: Decimal) -> bool:
    """RO App keeps money with two decimals (roapp §2)."""
    return item.entity_id == entity and round(item.price, 2) == round(price, 2)


def _quantities(lines: Mapping[Key, LineMatch]) -> dict[Key, Decimal]:
    return {key: line.quantity for key, line in lines.items() if line.quantity}


def _number(value: Decimal) -> float | int:
    """Requests take numbers (roapp §2); an exact decimal of 15 digits survives as a float."""
    return int(value) if value == value.to_integral_value() else float(value)
