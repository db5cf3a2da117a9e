"""One order that is in RO App: looked at, planned, and brought to what the shop has."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoItem
from cartum_roapp.delivery import agreeing, notes
from cartum_roapp.delivery.agreement import Agreement
from cartum_roapp.delivery.bindings import OrderBindings
from cartum_roapp.delivery.bound import Bound
from cartum_roapp.delivery.comment import OrderComments
from cartum_roapp.delivery.decision import Given
from cartum_roapp.delivery.doubt import Stale
from cartum_roapp.delivery.fields import set_fields
from cartum_roapp.delivery.lines import OrderLines
from cartum_roapp.delivery.looks import YOUNG
from cartum_roapp.delivery.managers import OrderManagers
from cartum_roapp.delivery.operations import AddLine, Operation, Problem, SendComments, SetFields, SetLine, SetStatus
from cartum_roapp.delivery.plan import Look, Plan, ShopOrder, needs_items, plan
from cartum_roapp.delivery.plan_status import NEW
from cartum_roapp.delivery.prices import wanted_lines
from cartum_roapp.delivery.said import Said
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.delivery.shop_order import Side, look_at
from cartum_roapp.delivery.status import OrderStatus
from cartum_roapp.delivery.totals import Totals
from cartum_roapp.errors import BadRecord, Code, Retryable
from cartum_roapp.ledger.agreed import AgreedOrder, Field
from cartum_roapp.ledger.outbox import Ask

log = logging.getLogger(__name__)

#: So often the call for an order's fields may have to wait too long.
MOST_STALE = 5


@dataclass(frozen=True)
class Planned:
    """A plan, and what it was made of."""

    plan: Plan
    look: Look
    items: Sequence[RoItem] | None
    said: Said


@dataclass
class OrderStep:
    """Looks, asks `plan` what is to be done, and does it. What RO App refuses is planned again where there is another
    way: without another manager, with the status first."""

    session: AccountSession
    roapp: RoApp
    bindings: OrderBindings
    managers: OrderManagers
    totals: Totals
    status: OrderStatus
    agreement: Agreement
    side: Side
    bound: Bound

    def __post_init__(self) -> None:
        order, shop = self.side.order, self.side.shop
        self._comments = OrderComments(self.session, self.roapp, self.agreement, order, self.bound.ro_id)
        self._lines = OrderLines(self.session, self.roapp, self.agreement, order, shop, self.bound)
        self._refused: list[Operation] = []
        self._keeps_manager = self._status_first = self._takes_as_made = False
        self._stale = 0

    async def preview(self) -> Planned:
        """Returns what is to be done, and does nothing of it: so what RO App would refuse is not known, nor what it
        shows of an order that is not made. Raises Later where a call had no answer."""
        self._begin()
        self._takes_as_made = True
        return await self._plan(with_status=True)

    def _begin(self) -> None:
        self.agreement.wait()
        if ask := self.bound.ask:
            known, both_ways = self.agreement.known, self.side.shop.status_direction == "both"
            known = known if self.bound.fresh else agreeing.again(known, anew=ask == Ask.AGREE, both_ways=both_ways)
            self.agreement.begin_again(known)

    async def run(self) -> bool:
        """Returns whether goods of the order have left RO App's stock, so that its lines stay. Raises Later where a
        call had no answer, GiveWay where other orders have their turn, BadRecord where a person is needed."""
        self._begin()
        with_status = not self.bound.fresh  # the look for a new order's status shows its total as well
        while True:
            planned = await self._plan(with_status)
            if not await self._carry_out(planned.plan, planned.said):
                self.bound.seen = None
                continue
            if with_status:
                break
            with_status = True
        if self.agreement.known.total is None and self.bound.seen is not None:
            self.totals.agrees(self.side.order, self.side.shop, self.bound.seen)
        return planned.plan.written_off

    async def _plan(self, with_status: bool) -> Planned:
        """Stores what is known now."""
        before, side = self.agreement.known, self.side
        needs = needs_items(before, side.goods, side.entities) or self._lines.are_stuck
        items = await self._lines.read() if needs else None
        said = Said(side.order, side.shop, any(item.written_off for item in items or ()))
        order, look = await self._sides(said, with_status)
        planned = plan(before, look, items, order, self._refused)
        if any(isinstance(one, AddLine) and one.repeats for one in planned.operations):
            items = await self._lines.read()  # a list may lag behind
            planned = plan(before, look, items, order, self._refused)
        if self.bound.seen is None and (
            planned.has_news or any(isinstance(one, SetFields) for one in planned.operations)
        ):
            await self.bindings.read(self.bound)
            order, look = await self._sides(said, with_status)
            planned = plan(before, look, items, order, self._refused)
        self._store(before, planned, order, look, said, items)
        if Problem.STATUS_UNMATCHED in planned.problems:
            await self.status.offer_names()
        return Planned(planned, look, items, said)

    async def _sides(self, said: Said, with_status: bool) -> tuple[ShopOrder, Look]:
        """Returns the order as the shop has it, and as RO App shows it. A new one is known to be as it was made."""
        side, bound, known = self.side, self.bound, self.agreement.known
        status, is_open = None, True
        if with_status and not any(isinstance(one, SetStatus) for one in self._refused):
            status, is_open = self.status.given(side.order, side.shop, known.value(Field.STATUS))
        first = self.status.of_new(side.shop, status)
        has_left, says_all = False, False
        waits = bound.fresh and (status is None or status.made is None)
        as_made = self._takes_as_made or first is not None or (waits and self.status.first(side.shop) is not None)
        if bound.fresh and bound.seen is None and as_made:
            values = side.values(said)
            look = Look({name: value.shown for name, value in known.values.items() if name in values})
            look = replace(look, values={**look.values, Field.STATUS: first}) if first is not None else look
        else:
            if time.monotonic() - bound.read_at > YOUNG:
                bound.seen = None
            seen = await self.bindings.read(bound)
            if bound.fresh and seen.status_id is not None and known.value(Field.STATUS).sent is None:
                self.status.note_first(side.shop, seen.status_id)
            look = look_at(seen, said, knows_comment=known.comment is not None)
            values = side.values(said, seen.manager_notes)
            says_all = not (seen.shows_notes and said.have_room(seen.manager_notes))
            if side.contact is not None and Field.MANAGER in look.values:
                has = seen.manager_id or known.value(Field.MANAGER).shown
                assert has is None or isinstance(has, int)
                other = None if self._keeps_manager else await self.managers.successor(side.order, side.shop, has)
                values[Field.MANAGER], has_left = Given("", other or has), other is not None
        begins_in = self.status.first(side.shop) or side.shop.statuses.get(NEW)
        order = ShopOrder(
            values if status is None else {**values, Field.STATUS: status},
            goods=side.goods,
            lines=tuple(wanted_lines(side.order, side.shop, known)),
            entities=side.entities,
            comment=None if side.contact is None else notes.digest(said.comment),
            says_all=says_all,
            first=look.values.get(Field.STATUS) if bound.fresh else begins_in,
            both_ways=side.shop.status_direction == "both",
            is_open=is_open,
            is_reopened=self._status_first,
            manager_has_left=has_left,
        )
        return order, look

    def _store(
        self, before: AgreedOrder, planned: Plan, order: ShopOrder, look: Look, said: Said,
        items: Sequence[RoItem] | None,
    ) -> None:  # fmt: skip
        """Stores what the plan knows, with the comment that is to be sent: who finds it after a kill sends it."""
        side, words = self.side, said.all if order.says_all else said.comment
        with self.session.transaction() as connection:
            self.agreement.store(connection, planned.agreed)
            self.status.note(
                connection, side.order, side.shop, self.bound, order.values.get(Field.STATUS),
                before.value(Field.STATUS), planned, look.values.get(Field.STATUS),
            )  # fmt: skip
            self._comments.note(connection, before, planned.agreed, words if planned.has_news else None)
        if items is not None:
            self._lines.look_at_stuck(items)

    async def _carry_out(self, planned: Plan, said: Said) -> bool:
        """Returns whether nothing is left to plan."""
        for operation in planned.operations:
            try:
                await self._do(operation, planned, said)
            except Stale:
                self._stale += 1
                if self._stale == MOST_STALE:
                    raise Retryable(
                        "RO App put off the change of an order's fields for too long, several times in a row."
                    ) from None
                return False
            except BadRecord as error:
                if isinstance(operation, SendComments):
                    self._refused.append(operation)
                    continue
                if not self._goes_on(operation, error, planned):
                    raise
                return False
            finally:
                self.bindings.looks.forget(self.bound.ro_id)
        if self.side.entities is None or planned.written_off:
            return True
        known = self.agreement.known
        if any(line.item is None for line in known.lines):
            return False
        self.agreement.commit(replace(known, goods=self.side.goods))
        return True

    async def _do(self, operation: Operation, planned: Plan, said: Said) -> None:
        order, shop, bound = self.side.order, self.side.shop, self.bound
        match operation:
            case SetFields():
                await set_fields(self.roapp, self.agreement, operation, bound, said)
            case SendComments():
                await self._comments.send()
            case AddLine() | SetLine():
                await self._lines.bring(operation, self._assignee)
                bound.seen = None  # its total is older
            case SetStatus():
                if not await self.status.send(order, bound, shop, self.agreement, operation, planned.overruled):
                    self._refused.append(operation)

    async def _assignee(self) -> int:
        known = self.agreement.known.value(Field.MANAGER).shown
        assert known is None or isinstance(known, int)
        return await self.managers.assignee(self.side.order, self.side.shop, known)

    def _goes_on(self, operation: Operation, error: BadRecord, planned: Plan) -> bool:
        """Returns whether there is another way than the one that RO App refuses."""
        if error.code != Code.REFUSED:
            return False
        sets = {change.name for change in operation.changes} if isinstance(operation, SetFields) else set()
        if Field.MANAGER in sets and not self._keeps_manager:
            log.warning("order %s keeps its manager, who has left: RO App refuses another one", self.side.order.number)
            self._keeps_manager = True
            return True
        if not self._status_first and any(isinstance(one, SetStatus) for one in planned.operations):
            self._status_first = True
            return True
        return False
