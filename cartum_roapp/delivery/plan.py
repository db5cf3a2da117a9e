"""What is to be done about one order: a pure function of what both sides agreed on (`AgreedOrder`), what RO App shows
(`Look` and its lines), and what the shop has (`ShopOrder`). It is called when no call of ours can still arrive
(`Agreement.wait`). Which order of RO App it is about, also where several carry its marker, says `bindings`.

For each value, a status, a quantity or a text alike (`decision.decide`):

* Where the shop changed it since it was carried, RO App gets the shop's, unless it has that already. So where staff
  changed it as well, the shop's wins.
* Where a call without an answer has put its value there, and the shop has taken that back since, RO App gets the value
  that was agreed before.
* Else it stays as it is: as agreed, or as staff set it.

Around that:

* What is made of a value may change with the settings. That alone writes nothing, with two exceptions: a manager who
  has left, and the status of an open order that RO App still shows as it was matched before (`plan_status`).
* What RO App does not show counts as agreed, so notes that it hides are never written. What they were to say goes into
  a comment, and so does what staff's own words leave no room for.
* Without an agreement (the order was found by its marker: its ledger was lost, or its creation had no answer) client,
  manager, and a status that somebody has moved stay. Notes, number and estimate become the shop's. Lines that are there
  are taken for the shop's before any is added, and then brought to what the shop has.
* A comment is noted before it is sent. A new one counts as sent where the notes say the same and nothing of ours is
  known to have put that there. One that is due is dropped where RO App has all lines of the order and none is known
  here: it was sent before the ledger was lost.
* Lines are compared when the shop's lines or total changed (`plan_lines`). Once goods are written off they stay. RO
  App's total is compared after that (`plan_total`).
* The fields come first, then the comment, lines, the status. A comment that was noted before goes ahead of the fields.
  A reopened order begins with its status, as a closed one may take nothing else.
* What RO App has refused (`refused`) is left out. A refused comment, status, or line that can't be taken out stops
  nothing else; another refused line, or refused fields, hold the order (`step`). A refused comment is tried again with
  the order's next delivery; one whose answer is lost is not sent again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cartum_roapp.apis.roapp.rows import RoItem
from cartum_roapp.delivery import plan_fields, plan_lines
from cartum_roapp.delivery.decision import Given
from cartum_roapp.delivery.operations import Operation, Problem, SendComments, SetFields
from cartum_roapp.delivery.plan_lines import Lines
from cartum_roapp.delivery.plan_status import plan_status
from cartum_roapp.ledger.agreed import AgreedOrder, Field, Value
from cartum_roapp.orders.pricing import PricedLine


@dataclass(frozen=True)
class ShopOrder:
    """The shop's order. `values` has no key for what is left as it is, like the client of an erased buyer.

    `goods` is the digest of the shop's lines and total; `lines` are made of them as the account counts discounts, and
    `entities` has RO App's product of each, None where lines can't be brought. `comment` is the digest of delivery and
    payment in words, None where no comment is sent; `says_all`: it says whatever the notes were to say. `first`: the
    status in which RO App begins such an order. `both_ways`: staff's status is on its way into the shop."""

    values: Mapping[Field, Given]
    goods: Value
    lines: tuple[PricedLine, ...]
    entities: Mapping[str, int] | None
    comment: str | None = None
    says_all: bool = False
    first: Value = None
    both_ways: bool = False
    is_open: bool = True
    is_reopened: bool = False
    manager_has_left: bool = False


@dataclass(frozen=True)
class Look:
    """What RO App shows of the order; `values` has no key for what it hides. `says_comment`: its notes say what the
    comment says. `has_another_buyer`: they name another buyer than the shop's order does now."""

    values: Mapping[Field, Value]
    says_comment: bool = False
    has_another_buyer: bool = False


@dataclass(frozen=True)
class Plan:
    """`agreed` is what is known now. `problems`: with the value that is wrong. `overruled`: staff's status, where the
    shop's takes its place. `written_off`: goods of the order have left RO App's stock. `has_news`: a comment is to be
    noted, in the transaction that stores `agreed`."""

    agreed: AgreedOrder
    operations: tuple[Operation, ...] = ()
    problems: Mapping[Problem, Value] = field(default_factory=dict)
    overruled: Value = None
    written_off: bool = False
    has_news: bool = False


def needs_items(agreed: AgreedOrder, goods: Value, entities: Mapping[str, int] | None) -> bool:
    """Returns whether a plan needs RO App's lines. `goods` and `entities`: those of the `ShopOrder`."""
    return entities is None or agreed.goods != goods


def plan(
    agreed: AgreedOrder,
    look: Look,
    items: Sequence[RoItem] | None,
    order: ShopOrder,
    refused: Collection[Operation] = (),
) -> Plan:
    """Returns what is to be done, in the order in which RO App takes it. `items`: RO App's lines, None where it does
    not need them. `refused`: operations that RO App does not take."""
    problems: dict[Problem, Value] = {}
    lines = _lines(agreed, items, order)
    known, fields = _fields(lines.agreed, look, order)
    known, statuses, overruled = _status(known, look, order, problems)
    known, has_news, comments = _comment(agreed, known, look, items or (), order)
    noted = [*comments, *fields] if agreed.comment_is_due else [*fields, *comments]
    rest: list[Operation] = [*noted, *lines.operations]
    operations = [*statuses, *rest] if order.is_reopened else [*rest, *statuses]
    left = tuple(one for one in operations if one not in refused)
    return Plan(known, left, problems, overruled, lines.written_off, has_news)


def _lines(agreed: AgreedOrder, items: Sequence[RoItem] | None, order: ShopOrder) -> Lines:
    if items is None:
        return Lines(agreed)
    if order.entities is None:
        return Lines(agreed, written_off=any(item.written_off for item in items))
    return plan_lines.plan(agreed, items, order.goods, order.lines, order.entities)


def _fields(agreed: AgreedOrder, look: Look, order: ShopOrder) -> tuple[AgreedOrder, list[Operation]]:
    agreed, changes = plan_fields.plan(
        agreed,
        order.values,
        look.values,
        manager_has_left=order.manager_has_left,
        has_another_buyer=look.has_another_buyer,
    )
    return agreed, [SetFields(changes)] if changes else []


def _status(
    agreed: AgreedOrder, look: Look, order: ShopOrder, problems: dict[Problem, Value]
) -> tuple[AgreedOrder, list[Operation], Value]:
    """Adds to `problems` what a person has to see to."""
    given, seen = order.values.get(Field.STATUS), look.values.get(Field.STATUS)
    if given is None:
        return agreed, [], None
    known = agreed.value(Field.STATUS)
    planned = plan_status(known, given, seen, first=order.first, is_open=order.is_open, both_ways=order.both_ways)
    if planned.problem is not None:
        problems[planned.problem] = given.shop if planned.problem is Problem.STATUS_UNMATCHED else seen
    if planned.known != known:
        agreed = agreed.with_value(Field.STATUS, planned.known)
    return agreed, [planned.operation] if planned.operation else [], planned.overruled


def _comment(
    before: AgreedOrder, agreed: AgreedOrder, look: Look, items: Sequence[RoItem], order: ShopOrder
) -> tuple[AgreedOrder, bool, list[Operation]]:
    """Returns what is known, whether a new comment is to be noted, and whether what is noted is to be sent."""
    if order.comment is None:
        return agreed, False, []
    if agreed.comment_is_due and not before.lines and plan_lines.has_all(items, order.entities):
        agreed = replace(agreed, comment_is_due=False)
    notes, is_news = order.values.get(Field.NOTES), agreed.comment != order.comment
    if notes is not None and order.says_all:
        hidden = Field.NOTES not in look.values
        agreed, says_notes = plan_fields.said_in_comment(before, agreed, notes, hidden=hidden)
        is_news = is_news or says_notes
    if is_news and plan_fields.counts_as_sent(before, look.values, says_comment=look.says_comment):
        is_news = False
    agreed = replace(agreed, comment=order.comment, comment_is_due=agreed.comment_is_due or is_news)
    return agreed, is_news, [SendComments()] if agreed.comment_is_due else []
