"""RO App's total is the shop's to the cent, whatever the discount and whatever the account makes of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cartum_roapp.orders.pricing import Discount, LineDiscounts, PricedLine, cents, priced, total_of

EVERY = list(LineDiscounts)
PRICES = st.integers(0, 300_000).map(lambda cents: Decimal(cents) / 100)
PIECES = st.builds(PricedLine, st.sampled_from("abcdef"), PRICES, st.integers(1, 12).map(Decimal))
FRACTIONS = st.builds(PricedLine, st.sampled_from("abc"), PRICES, st.decimals("0.0001", "99", places=4))
LINES = st.lists(PIECES, min_size=1) | st.lists(PIECES | FRACTIONS, min_size=1)


def line(product: str, price: str, quantity: str = "1", amount: str = "0", percentage: str = "0") -> PricedLine:
    return PricedLine(product, Decimal(price), Decimal(quantity), Discount(Decimal(amount), Decimal(percentage)))


def in_one_line(lines: list[PricedLine]) -> list[PricedLine]:
    """The same goods, those of one product and price together."""
    quantities: dict[tuple[str, Decimal], Decimal] = {}
    for one in lines:
        quantities[one.product, one.price] = quantities.get((one.product, one.price), Decimal(0)) + one.quantity
    return [PricedLine(product, price, quantity) for (product, price), quantity in quantities.items()]


@pytest.mark.parametrize("discounts", EVERY)
@given(LINES, st.integers(0, 100), st.integers(0, 99))
def test_the_total_is_the_shops(discounts: LineDiscounts, lines: list[PricedLine], percent: int, less: int) -> None:
    gross = total_of(lines, discounts)
    total = max(Decimal(0), (gross * (100 - percent) / 100).quantize(Decimal("0.01")) - Decimal(less) / 100)
    made = priced(lines, total, discounts)
    assert total_of(made, discounts) == total
    assert len({(one.product, one.price) for one in made}) == len(made)
    assert all(one.price >= 0 and one.quantity > 0 and one.total(discounts) >= 0 for one in made)
    for product in {one.product for one in lines}:
        wanted, sent = (sum(one.quantity for one in them if one.product == product) for them in (lines, made))
        assert sent == wanted, "goods to pack"


@pytest.mark.parametrize("discounts", EVERY)
@given(LINES, st.integers(1, 500_000))
@example([line("a", "9.04", "0.0001"), line("a", "9.04", "3.1012"), *[line("b", "25", "0.0001")] * 2], 1)
def test_a_surcharge_is_in_the_prices(discounts: LineDiscounts, lines: list[PricedLine], more: int) -> None:
    """A surcharge on the goods as RO App has them: as one line at one price they may cost some cents more than as
    many, each of which is rounded."""
    apart = total_of(lines, discounts)
    total = max(apart, sum((cents(one.price * one.quantity) for one in in_one_line(lines)), Decimal(0)))
    made = priced(lines, total + Decimal(more) / 100, discounts)
    assert total_of(made, discounts) == total + Decimal(more) / 100
    assert not any(one.discount for one in made)
    made = priced(lines, apart + Decimal(more) / 100, discounts)
    assert total_of(made, discounts) == apart + Decimal(more) / 100, "the shop's, whichever of the two it is"


@given(st.lists(PIECES, min_size=1), st.sampled_from(EVERY))
def test_without_a_discount_nothing_is_changed(lines: list[PricedLine], discounts: LineDiscounts) -> None:
    made = priced(lines, total_of(lines, discounts), discounts)
    assert {(one.product, one.price) for one in made} == {(one.product, one.price) for one in lines}
    assert not any(one.discount for one in made)


@pytest.mark.parametrize(
    ("discounts", "wanted"),
    [
        (LineDiscounts.UNKNOWN, [line("a", "799", amount="200")]),
        (LineDiscounts.PER_LINE, [line("a", "799", amount="200")]),
        (LineDiscounts.PER_UNIT, [line("a", "799", amount="200")]),
        (LineDiscounts.PERCENTAGE, [line("a", "599")]),
        (LineDiscounts.NONE, [line("a", "599")]),
    ],
)
def test_a_coupon_on_one_unit(discounts: LineDiscounts, wanted: list[PricedLine]) -> None:
    assert priced([line("a", "799")], Decimal(599), discounts) == wanted


@pytest.mark.parametrize(
    ("discounts", "wanted"),
    [
        (LineDiscounts.PER_LINE, [line("a", "100", "3", amount="10")]),
        (LineDiscounts.PER_UNIT, [line("a", "96.66"), line("a", "96.67", "2")]),
        (LineDiscounts.NONE, [line("a", "96.66"), line("a", "96.67", "2")]),
    ],
)
def test_a_discount_that_the_quantity_does_not_divide(discounts: LineDiscounts, wanted: list[PricedLine]) -> None:
    assert sorted(priced([line("a", "100", "3")], Decimal(290), discounts), key=lambda one: one.price) == wanted


def test_per_unit_a_single_unit_takes_the_rest() -> None:
    made = priced([line("a", "100", "3"), line("b", "100")], Decimal(390), LineDiscounts.PER_UNIT)
    assert made == [line("a", "100", "3", amount="2.50"), line("b", "100", amount="2.50")]
    made = priced([line("a", "100", "3"), line("b", "100")], Decimal("389.99"), LineDiscounts.PER_UNIT)
    assert made == [line("a", "100", "3", amount="2.50"), line("b", "100", amount="2.51")]


def test_per_unit_the_share_of_a_fraction_is_the_discount_of_another_line() -> None:
    made = priced([line("a", "100", "3"), line("b", "40", "1.25")], Decimal(320), LineDiscounts.PER_UNIT)
    assert made == [line("a", "100", "3", amount="10"), line("b", "40", "1.25")]


def test_a_sum_that_no_price_of_a_fraction_gives_takes_two() -> None:
    made = priced([line("a", "4.20", "2.5")], Decimal("9.99"), LineDiscounts.NONE)
    assert made == [line("a", "3.99", "1.5"), line("a", "4.00")]


def test_a_fraction_at_two_prices_comes_at_one() -> None:
    made = priced([line("a", "4", "1.5"), line("a", "4.01", "1.5")], Decimal("11.98"), LineDiscounts.NONE)
    assert made == [line("a", "3.99", "2"), line("a", "4.00")]


def test_a_percentage_where_it_is_exact() -> None:
    made = priced([line("a", "100", "3"), line("b", "50")], Decimal(315), LineDiscounts.PERCENTAGE)
    assert made == [line("a", "100", "3", percentage="10"), line("b", "50", percentage="10")]


def test_a_gift_carries_nothing() -> None:
    made = priced([line("a", "100"), line("gift", "0")], Decimal(90), LineDiscounts.PER_LINE)
    assert made == [line("a", "100", amount="10"), line("gift", "0")]


def test_prices_below_a_cent_are_rounded_and_the_difference_is_spread() -> None:
    made = priced([line("a", "87.255", "2")], Decimal("174.51"), LineDiscounts.PER_LINE)
    assert made == [line("a", "87.26", "2", amount="0.01")]


def test_a_total_over_nothing_is_a_surcharge() -> None:
    assert priced([line("a", "0", "2")], Decimal(5), LineDiscounts.NONE) == [line("a", "2.50", "2")]
    assert priced([], Decimal(5), LineDiscounts.NONE) == []
