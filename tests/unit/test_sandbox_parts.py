"""The sandbox's own parts that need no server: phones, months, bar codes, form parameters, planned faults."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from sandbox.clock import Clock, iso_z, months_before
from sandbox.faults import RoAppFaults, ShopFaults
from sandbox.goods import assortment, catalog_row, ean13
from sandbox.messages import nested_form
from sandbox.people import People, normal_phone, spellings
from sandbox.roapp_evidence import duplicates, marked, marker


@pytest.mark.parametrize("text", [*spellings("380501234567"), "+380501234567 ext. 12", "0501234567 доб. 7"])
def test_every_spelling_of_a_phone_is_one_number(text: str) -> None:
    assert normal_phone(text) == "380501234567"


@pytest.mark.parametrize("text", ["", "немає", "123", "+380", "0500", "-"])
def test_unusable_phones_are_no_number(text: str) -> None:
    assert normal_phone(text) == ""


def test_a_moldovan_phone_needs_its_country() -> None:
    assert normal_phone("069 123 456", country="373") == "37369123456"


def test_two_calendar_months_before_the_end_of_april_is_the_end_of_february() -> None:
    assert months_before(datetime(2026, 4, 30, 12, tzinfo=UTC), 2) == datetime(2026, 2, 28, 12, tzinfo=UTC)
    assert months_before(datetime(2026, 1, 15, tzinfo=UTC), 2) == datetime(2025, 11, 15, tzinfo=UTC)


def test_the_clock_can_be_moved_and_stays_moved() -> None:
    clock = Clock()
    before = clock.now()
    clock.shift(days=1)
    clock.shift(hours=-1)
    assert 22.9 * 3600 < (clock.now() - before).total_seconds() < 23.1 * 3600
    assert iso_z(datetime(2026, 9, 19, 12, tzinfo=UTC)) == "2026-09-19T12:00:00Z"


def test_bar_codes_have_a_right_check_digit() -> None:
    assert ean13(0) == "4820000000000"[:12] + ean13(0)[12]
    for number in range(50):
        code = ean13(number)
        weighted = sum(int(digit) * (3 if index % 2 else 1) for index, digit in enumerate(code))
        assert len(code) == 13
        assert weighted % 10 == 0


def test_form_parameters_nest_as_in_php() -> None:
    pairs = [("token", "t"), ("ids[]", "1"), ("ids[]", "2"), ("expr[parent][id][]", "7"), ("expr[article]", "A")]
    assert nested_form(pairs) == {
        "token": "t",
        "ids": ["1", "2"],
        "expr": {"parent": {"id": ["7"]}, "article": "A"},
    }


def test_about_a_fifth_of_the_orders_come_from_known_buyers() -> None:
    people = People(random.Random(1))
    buyers = [people.next() for _ in range(1000)]
    assert 150 < 1000 - len(set(buyers)) < 250
    phones = [buyer.phone for buyer in set(buyers) if buyer.phone]
    assert len(phones) == len(set(phones))
    assert any(not buyer.email for buyer in buyers)
    assert any(not buyer.phone for buyer in buyers)


@pytest.mark.parametrize("count", [5, 16, 40])
def test_as_many_products_as_asked_for_with_a_set_and_a_gift(count: int) -> None:
    goods = assortment(count)
    assert len(goods) == len({good.article for good in goods}) == count
    assert {"set", "gift", "product"} == {good.kind for good in goods}
    row = catalog_row(goods[0], ("ua", "en"), "UAH", "http://shop")
    assert set(row["title"]) == {"ua", "en"}
    assert Decimal(str(row["price"])) == goods[0].price


def test_planned_faults_meet_matching_calls_only_and_end() -> None:
    faults = RoAppFaults()
    faults.fail("drop", times=2, method="POST", path="^/orders$", skip=1)
    assert faults.take("GET", "/orders") is None
    assert faults.take("POST", "/orders/5/items") is None
    met = [faults.take("POST", "/orders") for _ in range(4)]
    assert [fault.kind if fault else None for fault in met] == [None, "drop", "drop", None]


def test_a_misspelled_switch_or_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="explode"):
        ShopFaults().fail("explode")
    with pytest.raises(AttributeError, match="page_capp"):
        ShopFaults().switch(page_capp=1)


def test_a_marker_counts_only_at_the_very_start() -> None:
    assert marker("[abcdef:1042] text") == "abcdef:1042"
    assert marker(" [abcdef:1042]") is None
    assert marker("see [abcdef:1042]") is None
    assert marker("[abc:1]") is None
    assert marker(None) is None


def test_duplicates_speak_only_of_what_came_through_the_api() -> None:
    orders = {
        1: {"id": 1, "manager_notes": "[abcdef:7]", "custom_fields": {}},
        2: {"id": 2, "manager_notes": "", "custom_fields": {"f1": "[abcdef:7]"}},
        3: {"id": 3, "manager_notes": "[abcdef:8]", "custom_fields": {"f1": "[abcdef:8]"}},
    }
    contacts = {
        1: {"id": 1, "phones": [{"phone": "0501234567"}]},
        2: {"id": 2, "phones": [{"phone": "+380 50 123-45-67"}]},
    }
    products = {
        1: {"id": 1, "title": "A", "code": "X", "sku": "", "barcodes": []},
        2: {"id": 2, "title": "B", "code": "X", "sku": "", "barcodes": []},
        3: {"id": 3, "title": "Free  line", "code": "", "sku": "", "barcodes": []},
        4: {"id": 4, "title": "free line", "code": "", "sku": "", "barcodes": []},
    }
    numbers = {"business_registration_number": "12345678", "tax_identification_number": None}
    organizations = {id_: {"id": id_, "phones": [], **numbers} for id_ in (5, 6)}
    seeded: dict[str, set[int]] = {"orders": set(), "contacts": {1}, "products": {1, 2}, "organizations": {5}}
    assert duplicates(orders, contacts, products, organizations, seeded) == {
        "orders": {"abcdef:7": [1, 2]},
        "contacts": {"380501234567": [1, 2]},
        "products": {"name:free line": [3, 4]},
        "organizations": {"12345678": [5, 6]},
    }
    assert len(marked(orders)["abcdef:8"]) == 1
