"""What each line of an RO App order costs, so that RO App's total is the shop's to the cent (design §2, P9).

A shop takes a coupon, a percentage or a manager's discount off the whole order. The unit prices carry it, in proportion
to the sums of the lines (ADR 0021). A line whose sum can't be divided by its quantity comes in two parts, one cent a
unit apart. A surcharge is a negative discount.

All functions are pure. Money has two decimals here, as in RO App (roapp §2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
NOTHING = Decimal(0)


@dataclass(frozen=True)
class ShopLine:
    """A line of the shop's order: the product's key, the unit price before the order's discount, the quantity."""

    product: str
    price: Decimal
    quantity: Decimal


@dataclass(frozen=True)
class PricedLine:
    """A line of an RO App order: the whole of the shop's line `of`, or one of its two parts."""

    product: str
    price: Decimal
    quantity: Decimal
    of: ShopLine

    @classmethod
    def whole(cls, line: ShopLine) -> PricedLine:
        """Returns the shop's line at its own price."""
        return cls(line.product, cents(line.price), line.quantity, line)

    @property
    def gross(self) -> Decimal:
        """Price × quantity."""
        return cents(self.price * self.quantity)


def cents(amount: Decimal) -> Decimal:
    """Returns the amount with two decimals, halves rounded up."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def total_of(lines: Iterable[PricedLine]) -> Decimal:
    """Returns the order's total that RO App shows for these lines."""
    return sum((line.gross for line in lines), NOTHING)


def priced(lines: Sequence[ShopLine], total: Decimal, parts: Mapping[str, int] | None = None) -> list[PricedLine]:
    """Returns the lines to send, whose total is `total`, the shop's. Of fractional quantities it may miss that by a
    cent, as RO App rounds each sum.

    `parts`: as how many lines RO App has each product. A line that came in two parts stays in two while its quantity is
    above 1: to take a part out would need a person where RO App takes no quantity of 0.
    """
    whole = [PricedLine.whole(line) for line in lines]
    off = _in_cents(total_of(whole) - cents(total))
    shares = zip(whole, _shares(whole, off), strict=True)
    made = [_at(line, _in_cents(line.gross) - share) if off else [line] for line, share in shares]
    spare = Counter(parts or {})
    spare.subtract(line.product for its in made for line in its)
    for index, (line, *rest) in enumerate(made):
        if not rest and spare[line.product] > 0 and line.quantity > 1:
            spare[line.product] -= 1
            made[index] = [replace(line, quantity=count) for count in (line.quantity - 1, Decimal(1))]
    return [line for its in made for line in its]


def _shares(lines: Sequence[PricedLine], off: int) -> list[int]:
    """Returns how many of the `off` cents each line carries: in proportion to its sum, nothing left over. The cents
    that the division leaves go to the lines that it cut most, of equal ones to the first."""
    sums = [_in_cents(line.gross) for line in lines]
    whole = sum(sums)
    if not whole:  # lines that cost nothing, and a total: a surcharge
        return [off, *(0 for _ in lines[1:])] if lines else []
    shares = [abs(off) * part // whole for part in sums]
    cut = sorted(range(len(sums)), key=lambda index: -(abs(off) * sums[index] % whole))
    for index in cut[: abs(off) - sum(shares)]:
        shares[index] += 1
    return shares if off > 0 else [-share for share in shares]


def _at(line: PricedLine, net: int) -> list[PricedLine]:
    """Returns the line with a sum of `net` cents: as two where no unit price gives it, so many whole units a cent
    dearer as the lower price leaves cents."""
    unit = int(net // line.quantity)
    dearer = min(line.quantity, Decimal(net - _in_cents(unit * line.quantity / 100)))
    split = [(unit, line.quantity - dearer), (unit + 1, dearer)]
    return [PricedLine(line.product, Decimal(price) / 100, count, line.of) for price, count in split if count]


def _in_cents(amount: Decimal) -> int:
    return int(cents(amount) * 100)
