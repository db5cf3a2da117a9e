"""A buyer is met again under every spelling of one phone; a phone that can't be used is no error."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cartum_roapp.orders.phone_field import PhoneField, read_field
from cartum_roapp.orders.phones import e164, is_placeholder, spellings

ONE_BUYER = [
    "+380501234567",
    "380501234567",
    "0501234567",
    "501234567",
    "050 123-45-67",
    "(050) 123 45 67",
    "050.123.45.67",
    "050/1234567",
    "050\u2011123\u201145\u201167",
    "+38 (050) 123-45-67",
    "+380 (0)50 1234567",
    "+380 050 123 45 67",
    "00380501234567",
    "00 380 50 123 45 67",
    "8 050 123 45 67",
    "8(050)1234567",
    "+8 050 123 45 67",
    "+0501234567",
    "+380380501234567",
    "+380\u200e501234567",
    "\u202a+380501234567\u202c",
    "０５０１２３４５６７",
    "'0501234567",
    "tel:+380501234567",
    "050&nbsp;123&nbsp;45&nbsp;67",
    "050 123 45 67 доб. 12",
    "0501234567 ext 5",
    "0501234567x5",
    "тел. 050 123 45 67 Олена",
    "+38050 123 4567 (viber)",
    "0501234567, 0671234567",
    "0501234567; 0671234567",
    "0501234567\n0671234567",
    "0501234567/0671234567",
    "0501234567 0671234567",
    "050 123 45 67 або 067 123 45 67",
    "050,123,45,67",
    "12345, 0501234567",
    380501234567,
    501234567,
    501234567.0,
]


@pytest.mark.parametrize("raw", ONE_BUYER)
def test_every_spelling_is_the_same_buyer(raw: object) -> None:
    assert e164(raw, "UA") == "+380501234567"


@pytest.mark.parametrize(
    "raw",
    ["", " ", None, [], {}, False, "-", "немає", "123", "12345678901234567890", "+", "++", "@", "050 123", "069123456"],
)
def test_what_is_no_phone_gives_nothing(raw: object) -> None:
    assert e164(raw, "UA") == ""


@pytest.mark.parametrize(
    "raw",
    [
        "0000000000", "+380000000000", "111111111", "123456789", "000-000-00-00", "0000", "1111111", "1234567",
        # The plan knows these.
        "+380999999999", "(099) 999-99-99", "80666666666", "0500000000", "+380 44 444 44 44", "+37369000000",
    ],
)  # fmt: skip
def test_placeholders_do_not_make_strangers_one_buyer(raw: str) -> None:
    assert e164(raw, "UA") == ""


@pytest.mark.parametrize("raw", ["+380501234567", "+380677777777", "+380501000000", "+380501111111"])
def test_a_number_that_is_easy_to_remember_is_a_buyers(raw: str) -> None:
    assert e164(raw, "UA") == raw


@pytest.mark.parametrize(
    ("raw", "region"),
    [
        ("4791234567", "UA"),
        ("479 123 45 67", "UA"),
        ("5551234567", "UA"),
        ("581234567", "UA"),
        ("2125550123", "MD"),
        ("12345678", "PL"),
    ],
)
def test_a_number_of_no_known_country_gets_no_countrys_prefix(raw: str, region: str) -> None:
    """A wrong number would be another person."""
    assert e164(raw, region) == ""
    assert read_field(raw, region) == PhoneField()


def test_a_national_spelling_with_the_countrys_own_prefix_is_of_the_country() -> None:
    """The plan may not know a new operator yet."""
    assert e164("058 123 45 67", "UA") == "+380581234567"
    assert e164("8 058 123 45 67", "UA") == "+380581234567"
    assert e164("04791234567", "UA") == "", "too long for a phone of the country"


def test_national_spellings_are_read_in_the_shops_country() -> None:
    assert e164("069123456", "MD") == "+37369123456"
    assert e164("0721 234 567", "RO") == "+40721234567"
    assert e164("0501234567", "ua") == "+380501234567"


def test_without_a_country_only_international_spellings_are_understood() -> None:
    assert e164("+380501234567", None) == "+380501234567"
    assert e164("00380501234567", None) == "+380501234567"
    assert e164("0501234567", None) == ""


def test_a_neighbours_number_without_plus_is_understood() -> None:
    assert e164("380501234567", "MD") == "+380501234567"
    assert e164("+1 212 555 0123", "UA") == "+12125550123"


def test_a_number_of_an_unknown_operator_is_kept() -> None:
    assert e164("+380000001001", "UA") == "+380000001001"
    assert e164("380000001001", "UA") == "+380000001001"
    assert e164("+37300000006", "MD") == "+37300000006"


@given(st.sampled_from(["50", "66", "95", "99", "67", "68", "96", "97", "63", "73", "93"]), st.integers(0, 9_999_999))
def test_a_mobile_number_survives_its_spellings(operator: str, rest: int) -> None:
    digits = f"{operator}{rest:07d}"
    assume(not is_placeholder(digits))
    phone = f"+380{digits}"
    for raw in (phone, phone[1:], f"00{phone[1:]}", f"0{digits}", f"80{digits}", f"0{operator} {rest:07d}, 0440000000"):
        assert e164(raw, "UA") == phone
    for spelling in spellings(phone):
        assert e164(spelling, "UA") == phone


@given(st.text(max_size=60), st.sampled_from(["UA", "MD", "RO", "PL", None]))
def test_whatever_is_typed_never_fails_and_settles(raw: str, region: str | None) -> None:
    phone = e164(raw, region)
    assert phone == "" or (phone[0] == "+" and phone[1:].isascii() and phone[1:].isdecimal() and len(phone) <= 19)
    assert e164(phone, region) == phone


@given(st.text(alphabet="0123456789+-() ,;/", max_size=40), st.sampled_from(["UA", "MD", "RO", "PL", None]))
def test_whatever_looks_like_a_phone_never_fails_and_settles(raw: str, region: str | None) -> None:
    phone = e164(raw, region)
    assert e164(phone, region) == phone


def test_spellings_to_search_for() -> None:
    assert spellings("+380501234567") == (
        "+380501234567",
        "380501234567",
        "0501234567",
        "+380 50 123 4567",
        "050 123 4567",
    )
    assert spellings("") == ()
    assert spellings("+999123") == ("+999123", "999123")
