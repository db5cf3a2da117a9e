"""What each line of an RO App order costs, so that RO App's total is the shop's to the cent (design §2, P9).

A shop takes a coupon, a percentage or a manager's discount off the whole order; RO App has discounts of lines only, and
what it makes of them differs by account (ADR 0004). So an order's discount is spread over its lines in proportion to
their sums. Where a line's discount can't carry a cent, the line's unit price carries the discount: a line whose sum
can't be divided by its quantity becomes two, one cent a unit apart. A surcharge, a negative discount, is always
carried by the unit prices.

All functions are pure. Money has two decimals here, as in RO App (roapp §2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

CENT = Decimal("0.01")
NOTHING = Decimal(0)


class LineDiscounts(StrEnum):
    """What an account makes of a line's discount. In the order in which they are tried: one that an order has disproved
    is never tried again."""

    UNKNOWN = "unknown"  # no order has shown it yet; sent like PER_LINE
    PER_LINE = "per-line"  # an amount is taken off the line
    PER_UNIT = "per-unit"  # an amount is taken off each unit
    PERCENTAGE = "percentage"  # amounts are refused or ignored
    NONE = "none"  # percentages, too: unit prices carry the discount

    def is_before(self, other: LineDiscounts) -> bool:
        tried = list(LineDiscounts)
        return tried.index(self) < tried.index(other)


@dataclass(frozen=True)
class Discount:
    """A line's discount as it is sent to RO App: an amount or a percentage, the other one is 0."""

    amount: Decimal = NOTHING
    percentage: Decimal = NOTHING

    def __bool__(self) -> bool:
        return bool(self.amount or self.percentage)


NO_DISCOUNT = Discount()


@dataclass(frozen=True)
class PricedLine:
    """One line of an RO App order: the product's key, the unit price before the line's discount, the quantity."""

    product: str
    price: Decimal
    quantity: Decimal
    discount: Discount = NO_DISCOUNT

    @property
    def gross(self) -> Decimal:
        """Price × quantity."""
        return cents(self.price * self.quantity)

    def total(self, discounts: LineDiscounts) -> Decimal:
        """Returns what the line adds to the order's total in an account that counts discounts like this."""
        each = self.quantity if discounts is LineDiscounts.PER_UNIT else 1
        taken = self.discount.amount * each + self.gross * self.discount.percentage / 100
        return self.gross - cents(taken)


def cents(amount: Decimal) -> Decimal:
    """Returns the amount with two decimals, halves rounded up."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def total_of(lines: Iterable[PricedLine], discounts: LineDiscounts) -> Decimal:
    """Returns the order's total that an account shows for these lines."""
    return sum((line.total(discounts) for line in lines), NOTHING)


def next_way(lines: Sequence[PricedLine], total: Decimal, known: LineDiscounts) -> LineDiscounts | None:
    """Returns how an account that shows this total for these lines counts discounts, if that is neither as `known` nor
    disproved: the way that explains the total, else the next one to try. None after the last."""
    if known is LineDiscounts.NONE or not any(line.discount for line in lines):
        return None
    explained = [way for way in (LineDiscounts.PER_LINE, LineDiscounts.PER_UNIT) if total_of(lines, way) == total]
    if found := [way for way in explained if known.is_before(way)]:
        return found[0]
    ignored = total_of((replace(line, discount=NO_DISCOUNT) for line in lines), known) == total
    amounts = any(line.discount.amount for line in lines)
    untried = ignored or known is LineDiscounts.UNKNOWN
    return LineDiscounts.PERCENTAGE if amounts and untried else LineDiscounts.NONE


def priced(lines: Iterable[PricedLine], total: Decimal, discounts: LineDiscounts) -> list[PricedLine]:
    """Returns the lines to send, unique by (product, price), whose total in this account is `total`, the shop's.

    `lines` are the shop's: unit prices before the order's discount, and no discounts. Without a discount they are
    returned as they are, with prices of two decimals.
    """
    rounded = _merged(replace(line, price=cents(line.price)) for line in lines)
    off = _in_cents(sum((line.gross for line in rounded), NOTHING) - cents(total))
    if not off:
        return rounded
    if off > 0 and discounts is not LineDiscounts.NONE:
        made = _DISCOUNTED[discounts](rounded, off)
        keys = {(line.product, line.price) for line in made}
        if len(keys) == len(made) and total_of(made, discounts) == cents(total):
            return made
    return _in_prices(rounded, off)


def _per_line(lines: Sequence[PricedLine], off: int) -> list[PricedLine]:
    return [_less(line, share) for line, share in zip(lines, _shares(lines, off), strict=True)]


def _per_unit(lines: Sequence[PricedLine], off: int) -> list[PricedLine]:
    """A share is a multiple of the quantity; a line of one unit takes the rest, else the largest one: in its discount
    where its quantity divides the rest, else in its price."""
    units = [
        share // int(line.quantity) if _is_whole(line) else 0
        for line, share in zip(lines, _shares(lines, off), strict=True)
    ]
    rest = off - sum(int(line.quantity) * unit for line, unit in zip(lines, units, strict=True) if unit)
    made = [_less(line, unit) for line, unit in zip(lines, units, strict=True)]
    for index, line in enumerate(lines):
        if rest and line.quantity == 1 and units[index] + rest <= _in_cents(line.gross):
            made[index], rest = _less(line, units[index] + rest), 0
    carriers = [index for index, line in enumerate(lines) if rest and _is_whole(line)]
    if carriers:
        index = max(carriers, key=lambda index: made[index].total(LineDiscounts.PER_UNIT))
        carrier = lines[index]
        more, left = divmod(rest, int(carrier.quantity))
        net = _in_cents(made[index].total(LineDiscounts.PER_UNIT)) - rest
        if net >= 0:
            in_prices = _at(carrier.product, carrier.quantity, net)
            made[index : index + 1] = in_prices if left else [_less(carrier, units[index] + more)]
    return made


def _percentages(lines: Sequence[PricedLine], off: int) -> list[PricedLine]:
    """Only a percentage that gives the share exactly: how RO App rounds is in no source (roapp §3.2)."""
    made: list[PricedLine] = []
    for line, share in zip(lines, _shares(lines, off), strict=True):
        gross = _in_cents(line.gross)
        if gross and not share * 10_000 % gross:
            percentage = Decimal(share * 10_000 // gross) / 100
            made.append(replace(line, discount=Discount(percentage=percentage)) if share else line)
        else:
            made.extend(_at(line.product, line.quantity, gross - share))
    return made


_DISCOUNTED = {
    LineDiscounts.UNKNOWN: _per_line,
    LineDiscounts.PER_LINE: _per_line,
    LineDiscounts.PER_UNIT: _per_unit,
    LineDiscounts.PERCENTAGE: _percentages,
}


def _in_prices(lines: Sequence[PricedLine], off: int) -> list[PricedLine]:
    """The unit prices carry the discount or the surcharge. A product of a fractional quantity that stands at several
    prices comes as one line, as rounding its lines apart and then together may differ by a cent."""
    fractions = {line.product for line in lines if not _is_whole(line)}
    goods: dict[tuple[str, Decimal | None], tuple[Decimal, int]] = {}
    for line, share in zip(lines, _shares(lines, off), strict=True):
        key = line.product, None if line.product in fractions else line.price
        quantity, net = goods.get(key, (NOTHING, 0))
        goods[key] = quantity + line.quantity, net + _in_cents(line.gross) - share
    return _merged(line for (product, _), (quantity, net) in goods.items() for line in _at(product, quantity, net))


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


def _at(product: str, quantity: Decimal, net: int) -> list[PricedLine]:
    """Returns lines of the product with a sum of `net` cents: as two where no unit price gives it, so many whole units
    a cent dearer as the lower price leaves cents."""
    unit = int(net // quantity)
    dearer = min(quantity, Decimal(net - _in_cents(unit * quantity / 100)))
    split = [(unit, quantity - dearer), (unit + 1, dearer)]
    return [PricedLine(product, Decimal(price) / 100, count) for price, count in split if count]


def _less(line: PricedLine, amount: int) -> PricedLine:
    return replace(line, discount=Discount(amount=Decimal(amount) / 100)) if amount else line


def _merged(lines: Iterable[PricedLine]) -> list[PricedLine]:
    """Returns the lines without discounts, those of equal product and price as one."""
    merged: dict[tuple[str, Decimal], PricedLine] = {}
    for line in lines:
        same = merged.get((line.product, line.price))
        merged[line.product, line.price] = (
            line if same is None else replace(line, quantity=same.quantity + line.quantity)
        )
    return list(merged.values())


def _is_whole(line: PricedLine) -> bool:
    return line.quantity == line.quantity.to_integral_value()


def _in_cents(amount: Decimal) -> int:
    return int(cents(amount) * 100)
