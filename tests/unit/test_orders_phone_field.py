"""A field of phones gives all its phones, and keeps every other word."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartum_roapp.orders.phone_field import Phone, PhoneField, phones_of, read_field, stored
from cartum_roapp.orders.phones import spellings

ONE, TWO, THREE = "+380671112233", "+380509998877", "+37369123456"


@pytest.mark.parametrize(
    "raw",
    [
        "0671112233, 0509998877",
        "067 111-22-33; 050 999-88-77",
        "0671112233\n0509998877",
        "0671112233/0509998877",
        "0671112233 0509998877",
        "067 111 22 33 050 999 88 77",
        "+380671112233+380509998877",
        "(067) 111 22 33 або (050) 999 88 77",
        "380671112233 та 80509998877",
        "067 111-22-33 - 050 999-88-77",
        "0671112233(0509998877)",
        "тел. 0671112233, тел: 0509998877",
        "0671112233, 0509998877, 067 111 22 33",
    ],
)
def test_two_phones_in_one_field(raw: str) -> None:
    assert read_field(raw, "UA") == PhoneField((Phone(ONE), Phone(TWO)))


@pytest.mark.parametrize(
    ("raw", "phones", "remark"),
    [
        ("0671112233 (чоловік), 0509998877", (Phone(ONE, "чоловік"), Phone(TWO)), ""),
        ("дружина 0671112233 або 0509998877 (viber)", (Phone(ONE, "дружина"), Phone(TWO, "viber")), ""),
        ("0671112233 (дзвонити після 18:00)", (Phone(ONE, "дзвонити після 18:00"),), ""),
        ("0671112233, дзвонити після 18", (Phone(ONE),), "дзвонити після 18"),
        ("0671112233 доб. 12", (Phone(ONE, "доб 12"),), ""),
        (
            "0671112233 дзвонити лише у вечірній час будь ласка",
            (Phone(ONE),),
            "дзвонити лише у вечірній час будь ласка",
        ),
        ("0671112233 (після 18:00) 0509998877 чоловік", (Phone(ONE), Phone(TWO)), "після 18:00 чоловік"),
        ("0671112233 18", (Phone(ONE),), "18"),
        ("8-916-123-45-67", (), ""),  # of a plan whose trunk prefix is 8: no piece of it is a Ukrainian number
        ("12345, 0671112233", (Phone(ONE),), "12345"),
        ("0671112233 чоловік 0509998877", (Phone(ONE), Phone(TWO)), "чоловік"),
        ("0671112233 ТТН 20450000000001", (Phone(ONE, "ТТН 20450000000001"),), ""),
        ("+373 69 123456, +380 67 111 22 33", (Phone(THREE), Phone(ONE)), ""),
        ("немає", (), ""),
        ("0000000000", (), ""),
    ],
)
def test_words_beside_a_phone_are_kept(raw: str, phones: tuple[Phone, ...], remark: str) -> None:
    assert read_field(raw, "UA") == PhoneField(phones, remark)


@pytest.mark.parametrize(
    "raw", [ONE, "067 111 22 33", "050,123,45,67", "067/1112233", "8 (067) 1112233", "тел. 0671112233"]
)
def test_one_phone_alone_is_plain(raw: str) -> None:
    field = read_field(raw, "UA")
    assert field.is_plain
    assert stored(field) == ""
    assert phones_of("", field.phones[0].number) == field.phones


WORD = st.text("абвгґдеєжзиіїйклмн", min_size=3, max_size=9).filter(lambda word: word not in ("тел", "телефон"))
PIECE = st.one_of(st.sampled_from([ONE, TWO, THREE]).flatmap(lambda phone: st.sampled_from(spellings(phone))), WORD)


@given(st.lists(PIECE, min_size=1, max_size=6), st.sampled_from([", ", "; ", "\n", " | "]))
def test_no_phone_and_no_word_is_lost_or_doubled(pieces: list[str], between: str) -> None:
    field = read_field(between.join(pieces), "UA")
    known = {spelling: phone for phone in (ONE, TWO) for spelling in spellings(phone)}
    known |= {spelling: THREE for spelling in spellings(THREE) if spelling[0] == "+"}
    written = [known[piece] for piece in pieces if piece in known]
    assert {phone.number for phone in field.phones} >= set(written)
    if written:
        kept = re.findall(r"[^\W\d]+", " ".join([field.remark, *(phone.title for phone in field.phones)]))
        assert sorted(kept) == sorted(piece for piece in pieces if piece[0].isalpha())
        assert phones_of(stored(field), field.phones[0].number) == field.phones


@given(st.text(max_size=60), st.sampled_from(["UA", "MD", "RO", None]))
def test_whatever_is_typed_never_fails(raw: str, region: str | None) -> None:
    field = read_field(raw, region)
    assert len({phone.number for phone in field.phones}) == len(field.phones)
    assert phones_of(stored(field), field.phones[0].number if field.phones else "") == field.phones


@given(st.text("0123456789+-() ,;/:.\nаx", max_size=50), st.sampled_from(["UA", "MD", None]))
def test_no_digit_is_lost(raw: str, region: str | None) -> None:
    """Each digit is a phone's, one of its usual prefix, or in a remark."""
    field = read_field(raw, region)
    if field.phones:
        left = re.sub(r"\D", "", " ".join([field.remark, *(f"{phone.number} {phone.title}" for phone in field.phones)]))
        missing = set(re.findall(r"[1-79]", raw)) - set(left)
        assert not missing
