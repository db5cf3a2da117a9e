"""Other names, phones and numbers in the place of real ones, in the same form."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from html import unescape

import pytest

from cartum_roapp.doctor.pseudonyms import Pseudonyms


def test_a_text_keeps_its_form_and_not_its_words() -> None:
    others = Pseudonyms()
    name = others.text("Олена O'Brien-Їжак")
    assert name != "Олена O'Brien-Їжак" and [len(word) for word in name.split()] == [5, 12]
    assert name.istitle() or name[0].isupper()
    assert others.text("Мар&#039;яна")[3:9] == "&#039;"
    assert others.text("olena@example.com")[5] == "@" and others.text("") == ""


def test_a_phone_is_one_in_each_spelling_and_still_possible() -> None:
    others = Pseudonyms()
    plain, local = others.text("+380671112233"), others.text("067 111-22-33")
    assert plain.startswith("+38067") and plain[-7:] != "1112233"
    assert local.replace(" ", "").replace("-", "") == "0" + plain[4:]


def test_the_same_number_is_the_same_everywhere_and_nowhere_the_old_one() -> None:
    others = Pseudonyms()
    found = others.of({"order_id": 1001234, "notes": "[abcdef:1001234] text"})
    assert found["order_id"] != 1001234 and f":{found['order_id']}]" in found["notes"]
    assert others.path("/orders/1001234/items") == f"/orders/{found['order_id']}/items"
    assert Pseudonyms().of(1001234) != found["order_id"], "a key of its own for each recording"


def test_words_of_the_apis_and_counts_stay() -> None:
    kept = {
        "status": "OK", "status_id": 7, "currency": "UAH", "is_new": True, "nothing": None, "quantity": "1000",
        "coupon_percent": 10.5, "tnTrackingUpdateDate": "0000-00-00 00:00:00", "limit": 5000, "delivery_price": "-1",
        "manager_discount": 5, "paging": {"page": 2, "count": 4321},
    }  # fmt: skip
    assert Pseudonyms().of(kept) == kept


def test_times_move_together_and_money_still_adds_up() -> None:
    lines = [
        {"price": "433.30", "quantity": "3", "total_price": 1299.9},
        {"price": 0.1, "quantity": 7, "total_price": "0,70"},
    ]
    given = {
        "stat_created": "2026-11-29 10:00:01", "modified_at": "2026-11-29T10:00:03Z", "timestamp": 1796081257,
        "created_at": 1796081257000, "products": lines, "discount": {"percentage": 10, "amount": 130.0},
        "delivery_price": 70, "total_sum": "1240.60", "prices": {"23456": 433.3},
    }  # fmt: skip
    found = Pseudonyms().of(given)
    read, moved = datetime.fromisoformat(found["stat_created"]), datetime.fromisoformat(found["modified_at"][:-1])
    assert moved - read == timedelta(seconds=2) and read < datetime(2026, 11, 28, 10, 0, 2)
    span = datetime(2026, 11, 29, 10, 0, 1) - read
    assert given["timestamp"] - found["timestamp"] == span.total_seconds()
    assert given["created_at"] - found["created_at"] == span.total_seconds() * 1000
    first, second = found["products"]
    assert money(first["price"]) * 3 == money(first["total_price"]) != Decimal("1299.9")
    assert money(second["price"]) * 7 == money(second["total_price"])
    sums = money(first["total_price"]) + money(second["total_price"]) + found["delivery_price"]
    assert sums - money(found["discount"]["amount"]) == money(found["total_sum"])
    assert list(map(money, found["prices"].values())) == [money(first["price"])] and "23456" not in found["prices"]


def money(value: object) -> Decimal:
    return Decimal(str(value).replace(",", "."))


@pytest.mark.parametrize(
    ("name", "value", "secrets"),
    [
        ("name", "&#1030;&#1074;&#1072;&#1085;", ["&#1030;&#1074;&#1072;&#1085;"]),
        ("name", "&#x406;&#x432;&#x430;&#x43d;", ["&#x406;&#x432;&#x430;&#x43d;"]),
        ("name", "Rene&eacute;", ["Rene&eacute;", "Rene"]),
        ("phone", 380671112233.0, ["1112233"]),
        ("lat", 50.450112, ["50.45", "450112"]),
        ("birthday", "1990-05-12", ["1990-05-12"]),
        ("birth_date", "2019-05-12 00:00:00", ["2019-05-12"]),
        ("Дата народження", "12.05.1990", ["12.05", "1990"]),
        ("date_of_birth", 642470400, ["642470400"]),
        ("any", "1961-03-08", ["1961-03-08"]),
        ("stat_created", "2026-11-29 10:00:00", ["2026-11-29"]),
        ("total", "1299.90", ["1299.90"]),
        ("notes", {"380671112233": "x"}, ["1112233"]),
        ("notes", {"Олена": 1}, ["Олена"]),
        ("notes", {"olena@example.com": 1}, ["olena", "example"]),
        ("notes", {"Olena": {"1234567": 1}}, ["Olena", "1234567"]),
    ],
)
def test_nothing_of_a_person_stays_however_it_is_written(name: str, value: object, secrets: list[str]) -> None:
    # A pseudonym may be the value itself once, by chance, but not each time.
    found = [json.dumps(Pseudonyms().of({name: value}), ensure_ascii=False) for _ in range(4)]
    assert not [secret for secret in secrets if all(secret in one for one in found)]


def test_a_name_in_entities_is_the_same_as_in_letters() -> None:
    others = Pseudonyms()
    assert unescape(others.text("&#1030;&#1074;&#1072;&#1085; X")) == others.text("Іван X")


def test_a_name_that_only_looks_like_an_amount_is_none() -> None:
    given = {"discount_code": "778899", "account": 1234567, "update_number": "556677", "domain": "olena.example"}
    found = Pseudonyms().of(given)
    assert not [name for name, value in given.items() if found[name] == value]
