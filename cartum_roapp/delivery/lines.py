"""The order's lines in RO App: reads them, and makes each call that `plan_lines` asks for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoItem
from cartum_roapp.delivery import agreeing
from cartum_roapp.delivery.agreement import Agreement
from cartum_roapp.delivery.bound import Bound
from cartum_roapp.delivery.doubt import GiveWay
from cartum_roapp.delivery.operations import AddLine, SetLine
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord, Code
from cartum_roapp.ledger import held
from cartum_roapp.ledger.agreed import AgreedLine, Value
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.links import order_name
from cartum_roapp.shops import ShopConfig

#: A line's product → RO App's.
Products = Mapping[str, int]
Assignee = Callable[[], Awaitable[int]]
#: This many calls for lines are made in a row; then other orders have their turn.
IN_A_ROW = 10
#: No line of ours has a discount, yet RO App demands the field (roapp §3.2).
_NO_DISCOUNT = {"type": "percentage", "percentage": 0, "amount": 0, "sponsor": "staff"}


class OrderLines:
    """The lines of one RO App order, and the calls that change them."""

    def __init__(
        self, session: AccountSession, roapp: RoApp, agreement: Agreement, order: DesiredOrder, shop: ShopConfig,
        bound: Bound,
    ) -> None:  # fmt: skip
        self._session = session
        self._roapp = roapp
        self._agreement = agreement
        self._order = order
        self._shop = shop
        self._bound = bound
        with session.autocommit() as connection:
            self._stuck = held.lines_of(connection, order.shop, order.number, Code.LINE_NOT_REMOVABLE)
        self._calls = 0
        self._made: set[tuple[str, int]] = set()

    @property
    def are_stuck(self) -> bool:
        """Whether a person was asked to take out a line."""
        return bool(self._stuck)

    async def read(self) -> Sequence[RoItem]:
        """Returns RO App's lines. A new order is known to have none."""
        if self._bound.fresh and not self._agreement.known.lines:
            return ()
        return await self._roapp.items(self._bound.ro_id)

    async def bring(self, operation: AddLine | SetLine, assignee: Assignee) -> None:
        """Makes the call. `assignee` is asked for each line that is added. A line that RO App does not let go is held.
        Raises GiveWay after `IN_A_ROW` calls, and what `Agreement.send` raises."""
        known = self._agreement.known
        if isinstance(operation, AddLine):
            self._refuse_lost(operation)
        if self._calls == IN_A_ROW:
            raise GiveWay
        self._calls += 1

        def note(connection: Connection) -> None:
            if isinstance(operation, SetLine) and operation.item in self._stuck:
                held.clear(connection, self._order.shop, "line", [self._record(operation.item)])

        try:
            await self._agreement.send(operation, lambda begin: self._call(operation, assignee, begin), note)
            if isinstance(operation, AddLine):
                self._made.add((operation.line.product, operation.part))
        except BadRecord as error:
            if error.code == Code.UNANSWERED or not (isinstance(operation, SetLine) and agreeing.takes_out(operation)):
                raise
            self._hold_stuck(known.line(operation.item), error)

    async def _call(self, operation: AddLine | SetLine, assignee: Assignee, begin: Callable[[], None]) -> int | None:
        if isinstance(operation, SetLine):
            changes = {one.name: _number(one.made) for one in operation.changes}
            await self._roapp.update_item(self._bound.ro_id, operation.item, changes, begin)
            return None
        line, person = operation.line, await assignee()
        body: dict[str, object] = {
            "entity_id": operation.entity,
            "assignee_id": person,
            "quantity": _number(line.quantity),
            "price": _number(line.price),
            "cost": 0,
            "discount": _NO_DISCOUNT,
            "warranty": {"period": "0", "periodUnits": "days"},
        }
        return await self._roapp.add_item(self._bound.ro_id, body, before=begin)

    def _refuse_lost(self, operation: AddLine) -> None:
        """A line of this delivery that RO App accepted without returning its id (roapp §7), and does not show: it is
        looked for later, and again after a second try. A third one would not be shown either."""
        is_made = (operation.line.product, operation.part) in self._made
        if operation.repeats > 1 and (is_made or self._was_lost()):
            raise BadRecord(
                "RO App accepted a line but does not show it.",
                code=Code.LINE_LOST,
                fix="Add the line by hand in RO App.",
            )
        if is_made:
            raise self._agreement.put_off()

    def _was_lost(self) -> bool:
        with self._session.autocommit() as connection:
            return held.code(connection, self._order.shop, "order", self._order.number) == Code.LINE_LOST

    def look_at_stuck(self, items: Sequence[RoItem]) -> None:
        """Lines that a person was to remove: checks whether they are gone, or the shop has them again."""
        if not self._stuck:
            return
        ours = {line.item for line in self._agreement.known.lines if line.quantity}
        left = {item.id for item in items if item.quantity} - ours
        with self._session.transaction() as connection:
            for item_id in self._stuck:
                if item_id in left:
                    held.touch(connection, self._order.shop, "line", self._record(item_id))
                else:
                    held.clear(connection, self._order.shop, "line", [self._record(item_id)])

    def _hold_stuck(self, line: AgreedLine, error: BadRecord) -> None:
        """No source knows how to delete a line (roapp §3.2), and RO App takes no quantity of 0: a person is asked."""
        name = order_name(self._bound.ro_id, self._bound.match.roapp_number)
        gone = f"{line.product.partition(':')[2]}, {_number(line.quantity)} × {line.price:.2f}"
        problem = BadRecord(
            f"the order has a line no more ({gone}); RO App does not let it go.",
            code=Code.LINE_NOT_REMOVABLE,
            field=error.field,
            fix=f"Remove that line of RO App order {name} by hand (its id is {line.item}).",
        )
        with self._session.transaction() as connection:
            held.hold(connection, shop=self._order.shop, entity="line", id=self._record(line.item), error=problem)

    def _record(self, item_id: int | None) -> str:
        """The line as a held record."""
        return f"{self._order.number}/{item_id}"


def _number(value: Value) -> float | int:
    """Requests take numbers (roapp §2); an exact decimal of 15 digits survives as a float."""
    assert isinstance(value, Decimal)
    return int(value) if value == value.to_integral_value() else float(value)
