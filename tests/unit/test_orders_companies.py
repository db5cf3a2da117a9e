"""A company is read from whatever shape `customer_details` has; a private buyer has none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartum_roapp.orders.buyers import identity
from cartum_roapp.orders.companies import PRIVATE, Company, comparable, read_company

NAME, NUMBER, TAX = 'ТОВ "Ромашка"', "12345678", "123456712345"
FLAT = {"company": NAME, "edrpou": NUMBER, "ipn": TAX, "address": "Київ"}


@pytest.mark.parametrize(
    "details",
    [
        FLAT,
        {"company_name": NAME, "registration_number": int(NUMBER), "tax_number": int(TAX)},
        {"companyName": "ТОВ &quot;Ромашка&quot;", "companyCode": f" {NUMBER} ", "VAT": TAX},
        {"company": {"name": NAME, "code": NUMBER, "inn": TAX}},
        {"organization": {"title": NAME, "okpo": NUMBER}, "tax_id": TAX, "company": ""},
        [{"title": "Назва компанії", "value": NAME}, {"title": "ЄДРПОУ", "value": NUMBER}, {"ipn": TAX}],
        {"1": {"name": "Компанія", "value": NAME}, "2": {"name": "Код ЄДРПОУ", "value": NUMBER}, "3": {"inn": TAX}},
        {"company": {"title": "Компанія", "value": NAME}, "edrpou": {"title": "Код", "value": NUMBER}, "inn": TAX},
        json.dumps(FLAT),
        {"company": NAME, "legal_name": "Інша", "edrpou": NUMBER, "inn": TAX},
    ],
)  # fmt: skip
def test_a_company_in_every_shape(details: Any) -> None:
    assert read_company(details) == Company(NAME, NUMBER, TAX)


@pytest.mark.parametrize(
    "details",
    [None, [], {}, "", False, 7, {"company": ""}, {"company": None}, {"company": "-"}, {"company": 0},
     {"company": False}, {"group": "Оптові"}, {"name": "Олена"}, {"company": []}, "{", '{"company": ',
     [[[[[[[["x"]]]]]]]]],
)  # fmt: skip
def test_a_private_buyer_has_no_company(details: Any) -> None:
    assert read_company(details) == PRIVATE


@pytest.mark.parametrize("key", ["name", "title", "fullname", "full_name"])
def test_a_name_beside_a_number_is_the_companys(key: str) -> None:
    assert read_company({key: NAME, "edrpou": NUMBER, "address": "Київ"}) == Company(NAME, NUMBER)
    assert read_company({key: NAME, "company": "Інша", "edrpou": NUMBER}).name == "Інша"
    assert read_company({key: NAME, "edrpou": "немає"}) == PRIVATE


def test_a_phone_of_the_company_is_read() -> None:
    assert read_company({"company": {"name": NAME, "phone": "044 123 45 67"}}).phone == "044 123 45 67"


def test_the_shops_manager_is_neither_buyer_nor_company() -> None:
    manager = {"id": 61, "name": "Олег", "phone": "044 123 45 67", "company": "Інша"}
    assert read_company({"manager": manager}) == PRIVATE
    assert read_company({"company": NAME, "edrpou": NUMBER, "manager": manager}) == Company(NAME, NUMBER)


def test_numbers_are_compared_without_their_spelling() -> None:
    assert comparable("12 345-678") == comparable("12345678") == "12345678"
    assert comparable("ua 123456789") == "UA123456789"
    assert comparable("12") == comparable("немає") == ""


def test_a_company_is_another_buyer_than_who_buys_for_it() -> None:
    phone, mail = "+380671112233", "a@example.com"
    assert identity(phone, mail, "1", PRIVATE) == f"phone:{phone}"
    assert identity(phone, mail, "1", Company(NAME, "12 345 678")) == "company:12345678"
    assert identity(phone, mail, "1", Company(NAME, "", TAX)) == f"company:{TAX}"
    assert identity(phone, mail, "1", Company(NAME)) == f"company:{phone}"
    assert identity("", mail, "1", Company(NAME)) == f"company:{mail}"
    assert identity("", "", "1", Company(NAME)) == "order:1"
    assert identity(phone, "", "1", Company("", NUMBER)) == f"phone:{phone}"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["company", "name", "value", "title", "edrpou", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)  # fmt: skip


@given(VALUES)
def test_whatever_is_sent_never_fails(details: Any) -> None:
    found = read_company(details)
    assert all(isinstance(value, str) for value in vars(found).values())
