"""The form of a shop's settings: what can be chosen, what was filled in, and what an edit applies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cartum_roapp.apis.cartum import ShopStatus
from cartum_roapp.apis.roapp import CustomField, Employee, Location, OrderType, RoService, RoStatus
from cartum_roapp.shops.examine import Examination
from cartum_roapp.shops.form import (
    ACCESS,
    SECTIONS,
    SETTINGS,
    STATUSES,
    UNASKED,
    Control,
    Flat,
    controls,
    flat,
    merge,
    normal,
    read,
    status_controls,
    whole,
)
from cartum_roapp.shops.lists import AccountLists, ShopLists
from cartum_roapp.shops.shop import SHOP_FIELDS

SHOP = ShopLists(
    [
        ShopStatus(1, {"ua": "Нове", "ru": "Новый"}),
        ShopStatus(3, {"ua": "Доставлене"}, True),
        ShopStatus(9, {"ua": "Хтозна"}),
    ],
    ("en", "ru", "ua"),
    ("UAH",),
)
ACCOUNT = AccountLists(
    company={"timezone": "Europe/Kyiv", "currency": "UAH"},
    locations=[
        Location(id=1, name="Старий", is_archived=True),
        Location(id=2, name="Склад (2)", timezone="Europe/Warsaw"),
        Location(id=3, name="Магазин"),
    ],
    order_types=[OrderType(id=5, name="Інтернет")],
    employees=[
        Employee(id=7, name="Олег", position=" старший менеджер (зміна 2)"),
        Employee(id=8, name="Ганна", is_active=False),
        Employee(id=9, name="Тарас"),
    ],
    statuses=[RoStatus(id=11, name="Новий"), RoStatus(id=12, name="Виконано")],
    custom_fields=[CustomField(id=4, name="Номер")],
)
BOTH, NEITHER = Examination([], [], SHOP, ACCOUNT), Examination([])


def shown(values: Flat, found: Examination = BOTH, stored: Flat | None = None) -> dict[str, Control]:
    keys = [*ACCESS, *SETTINGS, *STATUSES]
    made = [*controls(keys, values, found, ["main", "other"], stored), *status_controls(values, found, stored)]
    return {control.key: control for control in made}


def labels(control: Control) -> list[str]:
    return [label for _, label in control.options]


def test_every_setting_stands_in_the_form_once() -> None:
    keys = [*ACCESS, *(key for keys in SECTIONS.values() for key in keys), *STATUSES, "statuses"]
    assert sorted(keys) == sorted(SHOP_FIELDS)


def test_a_new_shop_is_offered_what_is_most_likely() -> None:
    asked = shown({})
    assert labels(asked["location_id"]) == ["Склад (2) (2)", "Магазин (3)"]
    assert labels(asked["managers"]) == ["Олег, старший менеджер (зміна 2) (7)", "Тарас (9)"]
    chosen = {key: asked[key].value for key in ("location_id", "managers", "language", "timezone", "window_days")}
    assert chosen == {
        "location_id": "2",
        "managers": [],
        "language": "ua",
        "timezone": "Europe/Warsaw",
        "window_days": "60",
    }
    assert {id: asked[f"statuses.{id}"].value for id in (1, 3, 9)} == {1: "11", 3: "12", 9: ""}
    assert asked["statuses.3"].help == "Delivered orders are in this status."
    assert (labels(asked["account"]), asked["account"].value) == (["main", "other"], "")
    (only,) = controls(["account"], {}, NEITHER, ["main"], None)
    assert only.value == "main"


def test_what_may_be_left_out_is_said_to_be_optional() -> None:
    asked = shown({}, replace(BOTH, account_lists=replace(ACCOUNT, services=[RoService(id=6, name="Доставка")])))
    assert labels(asked["order_number_field"]) == ["Номер (f4)"]
    assert labels(asked["delivery_service_id"]) == ["Доставка (6)"]
    optional = {
        key for key, control in asked.items() if not control.required and control.kind not in ("many", "switch")
    }
    assert optional == {
        "order_number_field", "delivery_service_id", "product_category_id", "phone_region", "retention_days",
        "deleted_status_id", "currency_names",
    }  # fmt: skip


def test_an_edit_shows_what_is_stored_and_guesses_nothing() -> None:
    stored: Flat = {
        "location_id": 3, "managers": [9, 8], "order_number_field": "f4", "language": "ro", "statuses.1": 12,
        "statuses.3": 99, "final_statuses": [3],
    }  # fmt: skip
    asked = shown(stored, stored=stored)
    assert (asked["location_id"].value, asked["location_id"].was) == ("3", "Магазин (3)")
    assert (asked["managers"].value, labels(asked["managers"])[-1]) == (["9", "8"], "8"), "it can't be chosen any more"
    assert (asked["language"].value, labels(asked["language"])[-1]) == ("ro", "ro")
    assert [asked[f"statuses.{id}"].value for id in (1, 3, 9)] == ["12", "99", ""]
    assert asked["final_statuses"].value == ["3"]
    assert [asked[key].base for key in ("location_id", "managers", "enabled", "phone_region", "statuses.9")] == [
        '["3"]', '["8","9"]', '["on"]', '[""]', '[""]',
    ]  # fmt: skip


def test_while_no_system_answers_what_is_stored_can_be_kept() -> None:
    stored: Flat = {"location_id": 3, "managers": [9], "statuses.1": 12, "statuses.77": 11}
    asked = shown(stored, NEITHER, stored)
    assert (asked["location_id"].options, asked["managers"].options) == ([("3", "3")], [("9", "9")])
    assert (asked["statuses.77"].value, asked["statuses.1"].options) == ("11", [("12", "12")])


def test_a_status_that_only_orders_have_is_asked_for_if_it_is_matched() -> None:
    found = replace(BOTH, shop_lists=replace(SHOP, in_use=frozenset({77, 78})))
    asked = shown({"statuses.77": 12}, found, {"statuses.77": 12})
    assert "statuses.77" in asked and "statuses.78" not in asked


@pytest.mark.parametrize(
    ("key", "given", "value"),
    [
        ("location_id", ["17"], 17),
        ("location_id", [""], ""),
        ("location_id", ["Склад"], "Склад"),
        ("order_number_field", ["f4"], "f4"),
        ("order_number_field", [""], None),
        ("name", [" Мій магазин (2) "], "Мій магазин (2)"),
        ("phone_region", [" "], None),
        ("enabled", [], False),
        ("enabled", ["on"], True),
        ("managers", ["7", "9"], [7, 9]),
        ("managers", [], "all"),
        ("final_statuses", [], None),
        ("identify_products_by", ["sku, code"], ["sku", "code"]),
        ("identify_products_by", [""], ""),
        ("statuses.9", ["12"], 12),
        ("statuses.9", [""], None),
    ],
)
def test_what_was_filled_in_is_a_value_of_the_file(key: str, given: list[str], value: Any) -> None:
    assert read({"asked": [key], key: given}) == {key: value}


def test_only_fields_that_were_asked_for_and_exist_are_read() -> None:
    odd = ["password", "key", "statuses.x", "statuses.01", "statuses.١", "statuses." + "9" * 40]
    assert read({"asked": odd, "name": ["x"]}) == {}


def test_flat_values_are_those_of_the_file_again() -> None:
    values = {"name": "Мавка", "managers": [7], "statuses": {10: 1, 9: 2}}
    assert flat(values) == {"name": "Мавка", "managers": [7], "statuses.9": 2, "statuses.10": 1}
    assert whole(flat(values)) == values


def test_an_edit_applies_what_was_changed_and_keeps_what_others_changed() -> None:
    before: Flat = {"name": "Мавка", "window_days": 60, "statuses.1": 11, "phone_region": "UA"}
    now: Flat = {**before, "name": "Верба", "statuses.2": 12}
    typed: Flat = {**before, "window_days": 90, "phone_region": None}
    merged = merge(before, typed, now)
    assert merged.values == {"name": "Верба", "window_days": 90, "statuses.1": 11, "statuses.2": 12}
    assert (merged.changed, merged.conflicts) == ({"window_days", "phone_region"}, set())


def test_a_field_that_two_change_is_a_conflict_unless_they_agree() -> None:
    before: Flat = {"name": "Мавка", "window_days": 60}
    merged = merge(before, {"name": "Верба", "window_days": 90}, {"name": "Калина", "window_days": 90})
    assert (merged.conflicts, merged.values) == ({"name"}, {"name": "Верба", "window_days": 90})


def test_what_means_the_same_is_no_change() -> None:
    """The page lists employees in RO App's order; which field identifies a product first is a choice."""
    shown: Flat = {"managers": [9, 7], "identify_products_by": ["sku", "code"]}
    assert merge(shown, {"managers": [7, 9], "identify_products_by": ["code", "sku"]}, shown).changed == {
        "identify_products_by"
    }
    assert normal({"phone_region": "ua", "name": " Мавка", "timezone": "Kyiv", "retention_days": None}) == {
        "phone_region": "UA", "name": "Мавка", "timezone": "Kyiv", "retention_days": None,
    }  # fmt: skip


def test_no_system_is_asked_about_what_only_we_use() -> None:
    assert {"name", "window_days", "enabled", "missing_products"} <= UNASKED
    assert UNASKED.isdisjoint({"url", "login", "account", "timezone", "statuses", "location_id", "language"})
