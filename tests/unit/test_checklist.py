"""What `shop check` says of what it could see, and of what it could not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import SecretStr

from cartum_roapp.apis.cartum import ShopStatus
from cartum_roapp.apis.roapp import CustomField, Employee, Location, OrderType, RoStatus
from cartum_roapp.shops import ShopConfig
from cartum_roapp.shops.checklist import Check, checklist
from cartum_roapp.shops.examine import Examination
from cartum_roapp.shops.lists import AccountLists, ShopLists
from cartum_roapp.shops.problems import Problem

SHOP = ShopLists([ShopStatus(1, {"ua": "Нове"})], ("ua",), ("UAH",), datetime(2026, 1, 1))
ACCOUNT = AccountLists(
    company={"name": "Мавка", "currency": "UAH"},
    locations=[Location(id=2, name="Склад")],
    order_types=[OrderType(id=5, name="Інтернет")],
    employees=[Employee(id=7, name="Олег")],
    statuses=[RoStatus(id=11, name="Новий")],
    custom_fields=[CustomField(id=4, name="Номер")],
)


def checked(
    shop: ShopLists | None = SHOP, account: AccountLists | None = ACCOUNT, *problems: Problem, **changes: Any
) -> dict[str, Check]:
    values: dict[str, Any] = {
        "slug": "mavka", "key": "abcdef", "name": "Мавка", "url": "https://mavka.example", "login": "api",
        "password": SecretStr("x"), "timezone": "Europe/Kyiv", "account": "main", "location_id": 2,
        "order_type_id": 5, "language": "ua", "identify_products_by": "sku", "statuses": {1: 11},
    }  # fmt: skip
    config = ShopConfig.model_validate({**values, **changes})
    return {line.field: line for line in checklist(config, Examination(list(problems), [], shop, account))}


def test_a_currency_that_one_side_does_not_tell_is_unknown() -> None:
    assert checked()["currency"].state == "ok"
    for shop, account, silent in (
        (replace(SHOP, currencies=()), ACCOUNT, "the shop doesn't show its currency."),
        (SHOP, replace(ACCOUNT, company={}), "RO App doesn't show its currency."),
        (replace(SHOP, currencies=()), replace(ACCOUNT, company={}), "the shop and RO App don't show their currency."),
    ):
        line = checked(shop, account)["currency"]
        assert (line.state, line.message) == ("unknown", silent)
        assert line.fix


def test_a_clock_without_an_order_to_compare_is_unknown() -> None:
    assert checked()["timezone"].state == "ok"
    line = checked(replace(SHOP, newest_order=None))["timezone"]
    assert line.state == "unknown" and line.fix


def test_the_order_field_is_told_whether_set_or_not() -> None:
    assert "unset" in checked()["order_number_field"].message
    assert checked(order_number_field="f4")["order_number_field"].state == "ok"
    line = checked(SHOP, replace(ACCOUNT, custom_fields=None), order_number_field="f4")["order_number_field"]
    assert (line.state, "was asked" in line.message) == ("unknown", True)
    line = checked(SHOP, None, order_number_field="f4")["order_number_field"]
    assert (line.state, "could not be asked" in line.message) == ("unknown", True)


def test_products_that_are_never_created_have_a_line() -> None:
    assert checked(missing_products="hold")["missing_products"].state == "ok"


def test_reach_tls_and_tariff_are_told_apart() -> None:
    three = ("url", "tls", "tariff")
    assert {checked()[field].state for field in three} == {"ok"}
    refused = checked(None, ACCOUNT, Problem("password", "the shop refuses it.", "give the right one"))
    assert [refused[field].state for field in (*three, "password", "login")] == ["ok"] * 3 + ["problem", "unknown"]
    away = checked(None, ACCOUNT, Problem("url", "it can't be reached.", "check the address"))
    assert [away[field].state for field in three] == ["problem", "unknown", "unknown"]


def test_all_managers_are_counted() -> None:
    assert checked()["managers"].message == "all that can be chosen in RO App: 1."
