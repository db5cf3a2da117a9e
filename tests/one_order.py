"""One order that `delivery.plan` alone keeps in step: a shop that is edited, an RO App that is looked at and written to
over HTTP, and the little that is stored of what both agreed on."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import SecretStr

from cartum_roapp.apis.limiter import LocalLimiter
from cartum_roapp.apis.retries import Patience
from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoOrder
from cartum_roapp.delivery import agreeing, plan_lines, plan_total
from cartum_roapp.delivery.decision import Given
from cartum_roapp.delivery.operations import AddLine, Operation, SendComments, SetFields, SetLine, SetStatus
from cartum_roapp.delivery.plan import Look, Plan, ShopOrder, needs_items, plan
from cartum_roapp.errors import BadRecord, Retryable, Unclear
from cartum_roapp.ledger.agreed import Agreed, AgreedOrder, Field, Value
from cartum_roapp.orders.pricing import PricedLine, ShopLine, cents, priced
from sandbox import Sandbox
from sandbox.faults import Planned

T = TypeVar("T")
RULE = "\n———\n"
#: Seconds: what has not arrived by then never will.
LOST_FOR_GOOD = 5.0


class Killed(Exception):
    """The process died."""


@dataclass
class ShopSide:
    """What the shop has. `lines`: product → (price, quantity)."""

    status: int = 1
    buyer: int = 0
    facts: str = "to be sent"
    comment: str = "by post"
    lines: dict[str, tuple[Decimal, int]] = field(default_factory=lambda: {"a": (Decimal("10.00"), 2)})
    coupon: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        return max(sum((price * count for price, count in self.lines.values()), Decimal(0)) - self.coupon, Decimal(0))


class Wire:
    """A client of RO App that many orders share: to make one takes longer than to deliver an order."""

    def __init__(self, box: Sandbox) -> None:
        self.account = box.roapp
        self._runner = asyncio.Runner()
        self.run = self._runner.run
        patience = Patience(timeout=5.0, retries=1, retry_base=0.001)
        key = SecretStr(self.account.api_key)
        self.roapp = RoApp(self.account.base_url, key, limiter=LocalLimiter(0.0), patience=patience)

    def close(self) -> None:
        self.run(self.roapp.__aexit__(None, None, None))
        self._runner.close()


class OneOrder:
    """`shop` is edited by whoever tests, RO App's side through `account`. `bring` delivers."""

    def __init__(self, wire: Wire) -> None:
        self._wire, self.account = wire, wire.account
        self.shop = ShopSide()
        contacts = [self.account.add_contact(f"Buyer {n}") for n in range(3)]
        self.contacts, self.stranger = contacts[:2], contacts[2]
        self.entities = {name: self.account.add_product(name) for name in "abcd"}
        self.own = self.account.add_product("added by staff")
        self.statuses = dict(zip(range(1, 6), self.account.statuses, strict=False))
        self.agreed = AgreedOrder()
        self.is_unsure = False
        self.refused: list[Operation] = []
        self.problems: dict[str, Value] = {}
        self.overruled: list[Value] = []
        self.kill_in: int | None = None
        self._parked: list[Planned] = []
        self._arrived = self._applied = 0
        self.account.faults.calm()
        self.account.clear_calls()
        self.close = self.account.on_call(self._heard)
        self.writes = 0
        location, type_ = next(iter(self.account.locations)), next(iter(self.account.order_types))
        self.manager = next(iter(self.account.employees))
        self.id = self.account.add_order(
            location, type_, self.contacts[0], manager_id=self.manager, manager_notes=_notes("", self._head())
        )
        made = {Field.CLIENT: self.contacts[0], Field.NOTES: self._head(), Field.MANAGER: self.manager}
        given = {Field.CLIENT: 0, Field.NOTES: self.shop.facts, Field.MANAGER: ""}
        values = {name: Agreed.on(given[name], value) for name, value in made.items()}
        self.agreed = AgreedOrder(values, comment="")

    # ------------------------------------------------------------------ both sides

    def order(self) -> ShopOrder:
        """The shop's order as it is to be in RO App."""
        shop, facts = self.shop, self._facts()
        goods = [ShopLine(name, price, Decimal(count)) for name, (price, count) in sorted(shop.lines.items())]
        parts = Counter(line.product for line in self.agreed.lines if line.quantity)
        return ShopOrder(
            values={
                Field.CLIENT: Given(shop.buyer, self.contacts[shop.buyer]),
                Field.MANAGER: Given("", self.manager),
                Field.NOTES: Given(facts, f"[key:1] {facts}"),
                Field.STATUS: Given(shop.status, self.statuses.get(shop.status)),
            },
            goods=(tuple(sorted(shop.lines.items())), shop.total),
            lines=tuple(priced(goods, shop.total, parts)),
            entities=self.entities,
            comment=shop.comment,
            first=self.statuses[1],
        )

    def seen(self) -> dict[str, Any]:
        """What RO App has: its order, and the lines as product → (price, quantity)."""
        names = {entity: name for name, entity in self.entities.items()}
        with self.account.lock:
            row = dict(self.account.orders[self.id])
            items = [dict(item) for item in self.account.items[self.id]]
        lines = [
            (names.get(item["entity_id"], "staff's"), Decimal(str(item["price"])), int(item["quantity"]))
            for item in items
            if Decimal(str(item["quantity"]))
        ]
        return {**row, "lines": sorted(lines), "item_ids": [item["id"] for item in items]}

    def staff(self, what: str) -> None:
        """Staff change something of the order in RO App."""
        account = self.account
        with account.lock:
            ours = [item for item in account.items[self.id] if item["entity_id"] in self.entities.values()]
            if what == "status":
                account.set_status(self.id, self.statuses[5])
            elif what == "client":
                account.edit_order(self.id, client_id=self.stranger)
            elif what == "note":
                account.edit_order(self.id, manager_notes=account.orders[self.id]["manager_notes"] + "call first\n")
            elif what == "own line":
                account.add_item(
                    self.id, **_added(PricedLine.whole(ShopLine("", Decimal(7), Decimal(1))), self.own, self.manager)
                )
            elif ours and what == "quantity":
                ours[0]["quantity"] = 9
                account.touch(self.id)
            elif ours and what == "price":
                ours[0]["price"] = 4.50
                account.touch(self.id)
            elif ours and what == "take out":
                account.items[self.id].remove(ours[0])
                account.touch(self.id)

    def _head(self) -> str:
        return f"[key:1] {self.shop.facts}"

    def _facts(self) -> str:
        """What the shop says of its order."""
        return f"{self.shop.facts}, written off" if self.id in self.account.written_off else self.shop.facts

    # ------------------------------------------------------------------ delivery

    def bring(self, steps: int = 40) -> bool:
        """Delivers until nothing is left to do; False where the process was killed or RO App did not answer. Raises
        AssertionError if that takes more steps."""
        for _ in range(steps):
            try:
                done = self._wire.run(self._step(self._wire.roapp))
            except Killed:
                return False
            if done is not None:
                return done
        raise AssertionError(f"not done after {steps} steps: {self.shop} {self.agreed}")

    def settle(self) -> None:
        """Delivers, undisturbed from here on, until nothing is left to do."""
        self.account.faults.calm()
        self.kill_in = None
        while not self.bring():
            pass

    def disturb(self, kind: str, *, skip: int = 0) -> None:
        """One of the next calls that write meets a fault."""
        fault = self.account.faults.fail(kind, method="POST|PATCH", skip=skip)
        self._parked += [fault] if kind == "parked" else []

    def arrive(self) -> None:
        """What is on its way to RO App arrives."""
        sent = sum(call.fault == "parked" for call in self.account.calls) - self._arrived
        before = self._applied
        for fault in self._parked:
            fault.released = True
        patience = time.monotonic() + LOST_FOR_GOOD
        while self._applied < before + sent and time.monotonic() < patience:
            time.sleep(0.001)
        self._arrived += sent

    def _heard(self, method: str, path: str, phase: str) -> None:
        self._applied += phase == "applied"

    async def _step(self, roapp: RoApp) -> bool | None:
        """None: there may be more to do. False: a call had no answer."""
        if self.is_unsure:
            self.arrive()
            self.is_unsure = False
        planned = await self._plan(roapp)
        self._commit(planned.agreed)
        self.problems |= {str(name): value for name, value in planned.problems.items()}
        for operation in planned.operations:
            if not await self._do(roapp, operation, planned):
                return False
        return None if planned.operations else await self._check(roapp)

    async def _plan(self, roapp: RoApp) -> Plan:
        order, row = self.order(), await self._read(roapp.order)
        assert row is not None
        items = await self._read(roapp.items) if needs_items(self.agreed, order.goods, order.entities) else None
        return plan(self.agreed, self._look(row), items, order, self.refused)

    async def _check(self, roapp: RoApp) -> bool | None:
        """Looks for lines that are there twice, and at RO App's total."""
        items, row = await self._read(roapp.items), await self._read(roapp.order)
        twins = [id_ for line in self.agreed.lines for id_ in plan_lines.twins_of(line, self.agreed, items)]
        self.problems |= {"doubled": tuple(twins)} if twins else {}
        if self.agreed.total is not None or any(item.written_off for item in items):
            return True
        assert row is not None
        lines, total = self.order().lines, cents(self.shop.total)
        compared = plan_total.compare(self.agreed, row.total, items, lines, total)
        self._commit(compared.agreed)
        self.problems |= {} if compared.differs is None else {"total-differs": compared.differs}
        return True

    async def _do(self, roapp: RoApp, operation: Operation, planned: Plan) -> bool:
        before = self.agreed
        if isinstance(operation, SendComments):
            self._commit(replace(before, comment_is_due=False))
        else:
            self._commit(agreeing.sending(before, operation))
            self.is_unsure = True
        self._may_die()
        self.writes += 1
        try:
            item = await self._call(roapp, operation)
        except BadRecord:
            self.is_unsure = False
            self._commit(before if isinstance(operation, SendComments) else agreeing.refused(before, operation))
            self.refused.append(operation)
            return True
        except Retryable:
            if isinstance(operation, AddLine | SetLine | SendComments):  # nothing was written
                self._commit(before)
                self.is_unsure = False
            return False
        except Unclear:
            return False
        self._may_die()
        self._commit(agreeing.answered(self.agreed, operation, item))
        self.is_unsure = False
        if isinstance(operation, SetStatus) and planned.overruled is not None:
            self.overruled.append(planned.overruled)
        return True

    async def _call(self, roapp: RoApp, operation: Operation) -> int | None:
        match operation:
            case SetFields(changes):
                body = {one.name: one.made for one in changes}
                if Field.NOTES in body:
                    row = await roapp.order(self.id)
                    assert row is not None
                    body[Field.NOTES] = _notes(row.manager_notes, body[Field.NOTES])
                await roapp.update_order(self.id, {str(name): value for name, value in body.items()})
            case SetStatus((change,)):
                assert isinstance(change.made, int)
                await roapp.set_status(self.id, change.made)
            case AddLine(line, _, entity):
                return await roapp.add_item(self.id, _added(line, entity, self.manager))
            case SetLine(item, changes):
                await roapp.update_item(self.id, item, {one.name: _as_sent(one.made) for one in changes})
            case SendComments():
                await roapp.add_comment(self.id, self.agreed.comment or "")
        return None

    def _look(self, row: RoOrder) -> Look:
        values: dict[Field, Value] = {Field.CLIENT: row.client_id, Field.MANAGER: row.manager_id}
        if row.shows_notes:
            values[Field.NOTES] = row.manager_notes.partition(RULE)[0]
        if row.status_id is not None:
            values[Field.STATUS] = row.status_id
        return Look(values)

    async def _read(self, call: Callable[[int], Awaitable[T]]) -> T:
        self._may_die()
        return await call(self.id)

    def _commit(self, known: AgreedOrder) -> None:
        self._may_die()
        self.agreed = known

    def _may_die(self) -> None:
        if self.kill_in is not None:
            self.kill_in -= 1
            if self.kill_in < 0:
                self.kill_in = None
                raise Killed


def _notes(current: str, head: Value) -> str:
    _, rule, staffs = current.partition(RULE)
    return f"{head}{RULE}{staffs if rule else current}"


def _added(line: PricedLine, entity: int, assignee: int) -> dict[str, Any]:
    return {
        "entity_id": entity,
        "assignee_id": assignee,
        "quantity": float(line.quantity),
        "price": float(line.price),
        "cost": 0,
        "discount": {"type": "percentage", "percentage": 0, "amount": 0, "sponsor": "staff"},
        "warranty": {"period": "0", "periodUnits": "days"},
    }


def _as_sent(value: Value) -> Any:
    return float(value) if isinstance(value, Decimal) else value
