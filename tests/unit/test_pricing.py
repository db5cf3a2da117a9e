"""RO App's total is the shop's to the cent, whatever the discount: the unit prices carry it."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartum_roapp.orders.pricing import CENT, PricedLine, ShopLine, cents, priced, total_of

PRICES = st.integers(0, 30_000_000).map(lambda parts: Decimal(parts) / 10_000)
PIECES = st.builds(ShopLine, st.sampled_from("abcdef"), PRICES, st.integers(1, 12).map(Decimal))
FRACTIONS = st.builds(ShopLine, st.sampled_from("abc"), PRICES, st.decimals("0.0001", "99", places=4))
PARTS = st.dictionaries(st.sampled_from("abc"), st.integers(0, 4))


def line(product: str, price: str, quantity: str = "1") -> ShopLine:
    return ShopLine(product, Decimal(price), Decimal(quantity))


def sent(made: list[PricedLine]) -> list[tuple[str, str, str]]:
    return [(one.product, str(one.price), str(one.quantity)) for one in made]


def whole(lines: list[ShopLine]) -> Decimal:
    return total_of([PricedLine.whole(one) for one in lines])


@given(st.lists(PIECES, min_size=1), st.integers(-50, 100), st.integers(0, 99), PARTS)
def test_the_total_is_the_shops(lines: list[ShopLine], percent: int, less: int, parts: dict[str, int]) -> None:
    """A discount up to the whole sum, or a surcharge, and lines that came in two parts before."""
    total = max(Decimal(0), cents(whole(lines) * (100 - percent) / 100) - Decimal(less) / 100)
    made = priced(lines, total, parts)
    assert total_of(made) == total
    assert all(one.price >= 0 and one.quantity > 0 and one.price == cents(one.price) for one in made)
    packed = Counter[ShopLine]()
    for one in made:
        packed[one.of] += one.quantity  # type: ignore[assignment]
    wanted = Counter[ShopLine]()
    for shop_line in lines:
        wanted[shop_line] += shop_line.quantity  # type: ignore[assignment]
    assert packed == wanted, "goods to pack"
    assert priced(lines, total, Counter(one.product for one in made)) == made, "what is there stays as it is"


@given(st.lists(PIECES | FRACTIONS, min_size=1), st.integers(0, 100))
def test_of_fractional_quantities_the_total_may_miss_by_what_ro_app_rounds(lines: list[ShopLine], percent: int) -> None:
    total = cents(whole(lines) * (100 - percent) / 100)
    assert abs(total_of(priced(lines, total)) - total) <= CENT * len(lines)


@given(st.lists(PIECES, min_size=1))
def test_without_a_discount_nothing_is_changed(lines: list[ShopLine]) -> None:
    assert priced(lines, whole(lines)) == [PricedLine.whole(one) for one in lines]


@pytest.mark.parametrize(
    ("lines", "total", "wanted"),
    [
        ([line("a", "799")], "599", [("a", "599", "1")]),
        ([line("a", "33.34", "3")], "100.00", [("a", "33.33", "2"), ("a", "33.34", "1")]),
        ([line("a", "100", "3")], "290", [("a", "96.66", "1"), ("a", "96.67", "2")]),
        ([line("a", "100"), line("gift", "0")], "90", [("a", "90", "1"), ("gift", "0.00", "1")]),
        ([line("a", "87.255", "2")], "174.51", [("a", "87.25", "1"), ("a", "87.26", "1")]),
        ([line("a", "4.20", "2.5")], "9.99", [("a", "3.99", "1.5"), ("a", "4", "1.0")]),
        ([line("a", "100", "2")], "0", [("a", "0", "2")]),
        ([line("a", "0", "2")], "5", [("a", "2.5", "2")]),
        ([], "5", []),
    ],
)
def test_how_a_line_is_split(lines: list[ShopLine], total: str, wanted: list[tuple[str, str, str]]) -> None:
    made = sent(priced(lines, Decimal(total)))
    assert [(name, Decimal(price), Decimal(count)) for name, price, count in made] == [
        (name, Decimal(price), Decimal(count)) for name, price, count in wanted
    ]


def test_a_line_that_was_split_stays_in_two_while_it_can() -> None:
    lines = [line("a", "100", "3")]
    assert sent(priced(lines, Decimal(270), {"a": 2})) == [("a", "90", "2"), ("a", "90", "1")]
    assert sent(priced(lines, Decimal(300), {"a": 2})) == [("a", "100.00", "2"), ("a", "100.00", "1")]
    assert sent(priced([line("a", "100")], Decimal(90), {"a": 2})) == [("a", "90", "1")]
