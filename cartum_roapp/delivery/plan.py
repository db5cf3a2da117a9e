"""What is to be done about one order: a pure function of what both sides agreed on (`AgreedOrder`), what RO App shows
(`Look` and its lines), and what the shop has (`ShopOrder`). It is asked when no call of ours can arrive any more.

For each value, a status, a quantity or a text alike (`decision.decide`):

* Where the shop changed it since it was carried, RO App gets the shop's, unless it has that already.
* Where a call without an answer has put its value there, and the shop has taken that back since, RO App gets the value
  that was agreed before.
* Else it stays as it is: as agreed, or as staff set it.

Around that:

* What is made of a value may change with the settings. That alone writes nothing, with two exceptions: a manager who
  has left, and the status of an open order that RO App still shows as it was matched before (`plan_status`).
* What RO App does not show counts as agreed, so notes that it hides are never written.
* Without an agreement (an order that was found by its marker) client, manager, and a status that somebody has moved
  stay.
* A comment counts as sent where the notes say the same and nothing of ours is known to have put that there, and where
  they are hidden and nothing was agreed.
* Lines are compared when the shop's lines or total changed (`plan_lines`). Once goods are written off they stay, and
  the notes say so.
* RO App's total is compared when its lines are the shop's (`plan_total`).
* The fields come first, then lines, the comment, the status. A reopened order begins with its status, as a closed one
  may take nothing else.
* An operation that RO App has refused is left out, and the others go on. A comment is tried once: one that is refused
  or lost is not sent again, as the notes have its facts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from cartum_roapp.apis.roapp.rows import RoItem
from cartum_roapp.delivery import plan_fields, plan_lines, plan_total
from cartum_roapp.delivery.decision import Given
from cartum_roapp.delivery.operations import Operation, Problem, SendComment, SetFields
from cartum_roapp.delivery.plan_lines import Lines
from cartum_roapp.delivery.plan_status import plan_status
from cartum_roapp.ledger.agreed import AgreedOrder, Field, Value
from cartum_roapp.orders.pricing import LineDiscounts, PricedLine


@dataclass(frozen=True)
class ShopOrder:
    """The shop's order. `values` has no key for what is left as it is, like the client of an erased buyer.

    `goods` stands for the shop's lines and total; `lines` are made of them as the account counts `discounts`, and
    `entities` has RO App's product of each. `total` is what RO App's has to be, None where it is not compared.
    `comment` is the digest of delivery and payment in words, None where no comment is sent. `notes_written_off` are the
    notes once goods are written off. `untouched`: RO App's statuses of an order that nobody has moved."""

    values: Mapping[Field, Given]
    goods: Value
    lines: tuple[PricedLine, ...]
    entities: Mapping[str, int]
    discounts: LineDiscounts
    total: Decimal | None = None
    comment: str | None = None
    notes_written_off: Given | None = None
    untouched: frozenset[int] = frozenset()
    is_open: bool = True
    is_reopened: bool = False
    manager_has_left: bool = False


@dataclass(frozen=True)
class Look:
    """What RO App shows of the order; `values` has no key for what it hides. `says_comment`: its notes say what the
    comment says."""

    values: Mapping[Field, Value]
    total: Decimal | None = None
    says_comment: bool = False


@dataclass(frozen=True)
class Plan:
    """`agreed` is what is known now. `problems`: with the value that is wrong. `learned`: how discounts are to be
    counted, as RO App's total has shown. `overruled`: staff's status, where the shop's takes its place."""

    agreed: AgreedOrder
    operations: tuple[Operation, ...] = ()
    problems: Mapping[Problem, Value] = field(default_factory=dict)
    learned: LineDiscounts | None = None
    overruled: Value = None


def needs_items(agreed: AgreedOrder, look: Look, order: ShopOrder) -> bool:
    """Returns whether a plan needs RO App's lines. Where only its total asks for them, `look` has to be read again
    after them: a list of orders may be older than the lines."""
    return (
        agreed.goods != order.goods or any(line.repeats for line in agreed.lines) or _is_new(look.total, agreed, order)
    )


def plan(
    agreed: AgreedOrder,
    look: Look,
    items: Sequence[RoItem] | None,
    order: ShopOrder,
    refused: Collection[Operation] = (),
) -> Plan:
    """Returns what is to be done, in the order in which RO App takes it. `items`: RO App's lines, None where it does
    not need them. `refused`: operations that RO App does not take."""
    lines, problems, learned = _lines(agreed, look, items, order)
    known, fields = _fields(lines.agreed, look, order, written_off=lines.written_off)
    known, statuses, overruled = _status(known, look, order, problems)
    known, comments = _comment(agreed, known, look, order)
    rest: list[Operation] = [*fields, *lines.operations, *comments]
    operations = [*statuses, *rest] if order.is_reopened else [*rest, *statuses]
    return Plan(known, tuple(one for one in operations if one not in refused), problems, learned, overruled)


def _lines(
    agreed: AgreedOrder, look: Look, items: Sequence[RoItem] | None, order: ShopOrder
) -> tuple[Lines, dict[Problem, Value], LineDiscounts | None]:
    if items is None:
        return Lines(_with_total(agreed, look, order)), {}, None
    made = order.goods, order.lines, order.entities
    lines = (
        plan_lines.plan(agreed, items, *made) if agreed.goods != order.goods else plan_lines.looked_at(agreed, items)
    )
    problems: dict[Problem, Value] = {Problem.DOUBLED: lines.twins} if lines.twins else {}
    agreed = lines.agreed
    if lines.operations or lines.written_off or not _is_new(look.total, agreed, order):
        return replace(lines, agreed=_with_total(agreed, look, order)), problems, None
    assert order.total is not None
    compared = plan_total.compare(agreed, look.total, items, order.lines, order.discounts, order.total)
    if compared.way is order.discounts:
        return replace(plan_lines.plan(agreed, items, *made), twins=lines.twins), problems, None
    if compared.differs is not None:
        problems[Problem.TOTAL_DIFFERS] = compared.differs
    return replace(lines, agreed=compared.agreed), problems, compared.way


def _is_new(total: Decimal | None, agreed: AgreedOrder, order: ShopOrder) -> bool:
    """Returns whether RO App's total is neither the shop's nor the one that was looked into last."""
    return None not in (total, order.total) and total not in (order.total, agreed.total)


def _with_total(agreed: AgreedOrder, look: Look, order: ShopOrder) -> AgreedOrder:
    return replace(agreed, total=look.total) if look.total is not None and look.total == order.total else agreed


def _fields(
    agreed: AgreedOrder, look: Look, order: ShopOrder, *, written_off: bool
) -> tuple[AgreedOrder, list[Operation]]:
    values = dict(order.values)
    if written_off:
        values.pop(Field.ESTIMATE, None)
        values |= {Field.NOTES: order.notes_written_off} if order.notes_written_off else {}
    agreed, changes = plan_fields.plan(agreed, values, look.values, manager_has_left=order.manager_has_left)
    return agreed, [SetFields(changes)] if changes else []


def _status(
    agreed: AgreedOrder, look: Look, order: ShopOrder, problems: dict[Problem, Value]
) -> tuple[AgreedOrder, list[Operation], Value]:
    """Adds to `problems` what a person has to see to."""
    given, seen = order.values.get(Field.STATUS), look.values.get(Field.STATUS)
    if given is None:
        return agreed, [], None
    known = agreed.values.get(Field.STATUS)
    planned = plan_status(known, given, seen, is_open=order.is_open, untouched=order.untouched)
    if planned.problem is not None:
        problems[planned.problem] = given.shop if planned.problem is Problem.STATUS_UNMATCHED else seen
    if planned.known is not None:
        agreed = agreed.with_value(Field.STATUS, planned.known)
    return agreed, [planned.operation] if planned.operation else [], planned.overruled


def _comment(
    before: AgreedOrder, agreed: AgreedOrder, look: Look, order: ShopOrder
) -> tuple[AgreedOrder, list[Operation]]:
    if order.comment is None or agreed.comment == order.comment:
        return agreed, []
    if plan_fields.counts_as_sent(before, look.values, says_comment=look.says_comment):
        return replace(agreed, comment=order.comment), []
    return agreed, [SendComment(order.comment)]
