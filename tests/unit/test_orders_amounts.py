"""Money is exact, and what can't be read is never guessed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartum_roapp.orders import amounts


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (199.5, "199.50"),
        (600, "600.00"),
        ("600", "600.00"),
        ("600.00", "600.00"),
        ("600.0000", "600.00"),
        (" 1 299,90 ", "1299.90"),
        ("1\u00a0299,90", "1299.90"),
        ("199,5", "199.50"),
        ("1,299.90", "1299.90"),
        ("1.299,90", "1299.90"),
        ("1,299,000", "1299000.00"),
        ("1'299.90", "1299.90"),
        ("0,125", "0.125"),
        (1104.925, "1104.925"),
        (0.1 + 0.2, "0.30"),
        (598.4999999999999, "598.50"),
        ("199.90000000000001", "199.90"),
        (-0.0, "0.00"),
        ("1.0E+3", "1000.00"),
        (Decimal("7"), "7.00"),
        (12345678901.99, "12345678901.99"),
    ],
)
def test_money_is_exact(raw: object, text: str) -> None:
    assert str(amounts.money(raw)) == text


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "",
        " ",
        [],
        {},
        {"id": 1},
        True,
        "abc",
        "12 грн",
        "1,299",
        "1.2.3",
        "1,2,3",
        "--1",
        "1_000",
        "٣",
        "nan",
        "inf",
        float("nan"),
        float("inf"),
        float("-inf"),
        1e300,
        10**13,
        "9" * 400,
        "1e999",
    ],
)
def test_money_that_can_not_be_read_is_refused(raw: object) -> None:
    with pytest.raises(ValueError, match=r"^(is|has) ") as caught:
        amounts.money(raw)
    assert str(raw) not in str(caught.value) or not str(raw).strip()


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_one_amount_in_all_its_spellings(amount: Decimal) -> None:
    spelt = [float(amount), str(amount), f"{amount:f}".replace(".", ","), f"{amount}00", amount]
    if amount == int(amount):
        spelt += [int(amount), str(int(amount))]
    assert {str(amounts.money(raw)) for raw in spelt} == {f"{amount:.2f}"}


def test_a_price_is_not_negative() -> None:
    assert amounts.price("0") == 0
    with pytest.raises(ValueError, match="is negative"):
        amounts.price(-0.01)


@pytest.mark.parametrize(
    ("raw", "text"),
    [(2, "2"), ("2", "2"), (2.0, "2"), ("1,5", "1.5"), (10, "10"), (1000, "1000"), (-1, "-1"), (0.00001, "0")],
)
def test_quantity(raw: object, text: str) -> None:
    assert str(amounts.quantity(raw)) == text


@pytest.mark.parametrize("raw", [None, "", "two", True, float("nan")])
def test_a_quantity_is_a_number(raw: object) -> None:
    with pytest.raises(ValueError, match=r"^is "):
        amounts.quantity(raw)


@pytest.mark.parametrize(("raw", "number"), [(7, 7), ("7", 7), (7.0, 7), ("7.0", 7), (" 007 ", 7), (-1, -1)])
def test_whole(raw: object, number: int) -> None:
    assert amounts.whole(raw) == number


@pytest.mark.parametrize("raw", [7.5, "7.5", "seven", True, None, "", [], {}, float("nan"), float("inf")])
def test_not_whole(raw: object) -> None:
    with pytest.raises(ValueError, match=r"^is "):
        amounts.whole(raw)


@pytest.mark.parametrize("raw", [1, "1", True, 1.0, "true", " Yes "])
def test_flag_set(raw: object) -> None:
    assert amounts.flag(raw) is True


@pytest.mark.parametrize("raw", [0, "0", False, None, "", [], {}, "false", "no", "maybe", 2])
def test_flag_not_set(raw: object) -> None:
    assert amounts.flag(raw) is False
