"""RO App's total of an order, once its lines are the shop's. All functions are pure.

* Where staff changed a line of ours, the total is theirs, unless a part of the order's discount fell on that line
  since: as the line stays theirs, that part is missing.
* Else it has to be the shop's, beside what staff added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from cartum_roapp.apis.roapp.rows import RoItem
from cartum_roapp.delivery import plan_lines
from cartum_roapp.ledger.agreed import AgreedOrder
from cartum_roapp.orders.pricing import NOTHING, PricedLine, cents


@dataclass(frozen=True)
class Compared:
    """`agreed` is what is known now. `differs`: RO App's total without what staff added, where it is not the shop's."""

    agreed: AgreedOrder
    differs: Decimal | None = None


def compare(
    agreed: AgreedOrder, total: Decimal | None, items: Sequence[RoItem], lines: Sequence[PricedLine], expected: Decimal
) -> Compared:
    """`total` (None: it is not shown) and `items` are RO App's, `lines` the shop's, `expected` is the total that RO App
    has to have."""
    seen = replace(agreed, total=expected if total is None else total)
    is_theirs = not plan_lines.are_as_sent(agreed, items) and plan_lines.are_priced(agreed, lines)
    if total is None or is_theirs:
        return Compared(seen)
    ours = [total - sum(sums, NOTHING) for sums in _sums(plan_lines.of_staff(agreed, items))]
    return Compared(seen, None if expected in ours else ours[0])


def _sums(items: Sequence[RoItem]) -> tuple[list[Decimal], list[Decimal]]:
    """Returns what each item adds to the total. An amount off a line counts for the line in some accounts, for each
    unit in others (roapp §3.2)."""

    def sum_of(item: RoItem, each: Decimal) -> Decimal:
        gross = cents(item.price * item.quantity)
        amount, percentage = item.discount or (NOTHING, NOTHING)
        return gross - cents(amount * each + gross * percentage / 100)

    return [sum_of(item, Decimal(1)) for item in items], [sum_of(item, item.quantity) for item in items]
