"""RO App's total of an order, once its lines are the shop's. All functions are pure.

* Where staff changed a line of ours, the total is theirs.
* Else it has to be the shop's, beside what staff added. Where it is not, the account counts discounts in another way,
  and the lines are priced for that. After the last way the difference is reported.
* A total that RO App does not show proves nothing about a discount: the prices carry it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from cartum_roapp.apis.roapp.rows import RoItem
from cartum_roapp.delivery import plan_lines
from cartum_roapp.ledger.agreed import AgreedOrder
from cartum_roapp.orders.pricing import LineDiscounts, PricedLine, next_way, total_of


@dataclass(frozen=True)
class Compared:
    """`agreed` is what is known now. `way`: how discounts are to be counted, as the lines have to be priced for that.
    `differs`: RO App's total without what staff added, where it is not the shop's and nothing is left to try."""

    agreed: AgreedOrder
    way: LineDiscounts | None = None
    differs: Decimal | None = None


def compare(
    agreed: AgreedOrder,
    total: Decimal | None,
    items: Sequence[RoItem],
    lines: Sequence[PricedLine],
    discounts: LineDiscounts,
    expected: Decimal,
) -> Compared:
    """`total` and `items` are RO App's, `lines` what the shop's are as the account counts `discounts`, `expected` is
    the total that RO App has to have."""
    seen = replace(agreed, total=expected if total is None else total)
    if not plan_lines.are_as_sent(agreed, items, discounts):
        return Compared(seen)
    if total is None:
        hidden = discounts is not LineDiscounts.NONE and any(line.discount for line in lines)
        return Compared(agreed, LineDiscounts.NONE) if hidden else Compared(seen)
    ours = total - total_of(plan_lines.of_staff(agreed, items), discounts)
    if ours == expected:
        return Compared(seen)
    if not any(item.written_off for item in items):
        if not plan_lines.are_priced(agreed, lines):  # the account counts in another way since they were sent
            return Compared(agreed, discounts)
        if (way := next_way(lines, ours, discounts)) is not None:
            return Compared(agreed, way)
    return Compared(seen, differs=ours)
