"""A row is read leniently in its form and strictly in what matters; a bad one says where and what to do."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartum_roapp.orders.bad_rows import BadRow
from cartum_roapp.orders.rows import OrderRow, lines_of, read_row

SAMPLES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "samples" / "cartum_orders.json").read_text("utf-8")
)["response"]["orders"]
MISSING = object()


def changed(path: str, value: object) -> dict[str, Any]:
    """The first sample with one value replaced or, for MISSING, taken out."""
    row: Any = copy.deepcopy(SAMPLES[0])
    *parents, last = [int(part) if part.isdecimal() else part for part in path.split(".")]
    target = row
    for part in parents:
        target = target[part]
    if value is MISSING:
        del target[last]
    else:
        target[last] = value
    return row  # type: ignore[no-any-return]


def good(row: object, language: str = "ua") -> OrderRow:
    read = read_row(row, language)
    assert isinstance(read, OrderRow), read
    return read


def bad(row: object) -> BadRow:
    read = read_row(row)
    assert isinstance(read, BadRow)
    return read


def test_the_samples_are_read_whole() -> None:
    rows = [good(sample) for sample in SAMPLES]
    assert [row.order_id for row in rows] == ["1001", "1002", "1003", "1004", "1005", "1006"]
    assert [len(row.products) for row in rows] == [1, 1, 1, 1, 3, 1]
    assert [str(row.total_sum) for row in rows] == ["1200.00", "599.00", "350.00", "598.50", "1200.00", "2499.00"]
    assert [str(row.discount) for row in rows] == ["0.00", "200.00", "0.00", "0.00", "0.00", "0.00"]
    assert [row.waybill for row in rows] == ["", "", "20400000000001", "", "", ""]
    assert [row.payed for row in rows] == [False, False, True, False, False, False]
    assert [row.city for row in rows[4:]] == ["Київ", "Chisinau"]
    assert [line.kind for line in rows[4].products] == ["set_main", "set_item", "gift"]


ODD_BUT_GOOD = [
    ("order_id", "1001", "order_id", "1001"),
    ("order_id", 1001.0, "order_id", "1001"),
    ("order_id", " 001001 ", "order_id", "1001"),
    ("stat_status", "7", "stat_status", 7),
    ("stat_status", {"id": 7, "title": "Повернення"}, "stat_status", 7),
    ("stat_status", 0, "stat_status", 0),
    ("total_sum", "1200", "total_sum", Decimal("1200.00")),
    ("total_sum", "1 200,00", "total_sum", Decimal("1200.00")),
    ("total_sum", 0, "total_sum", Decimal("0.00")),
    ("total_default", MISSING, "discount", Decimal("0.00")),
    ("total_default", None, "discount", Decimal("0.00")),
    ("total_sum", "1100.50", "discount", Decimal("99.50")),
    ("total_sum", 1300, "discount", Decimal("-100.00")),
    ("total_default", 1100, "discount", Decimal("0.00")),
    ("payed", "1", "payed", True),
    ("payed", True, "payed", True),
    ("payed", MISSING, "payed", False),
    ("payed", None, "payed", False),
    ("delivery_price", -1, "delivery_price", None),
    ("delivery_price", "-1.00", "delivery_price", None),
    ("delivery_price", "", "delivery_price", None),
    ("delivery_price", MISSING, "delivery_price", None),
    ("delivery_price", "за тарифом", "delivery_price", None),
    ("delivery_price", 0, "delivery_price", Decimal("0.00")),
    ("delivery_price", "60", "delivery_price", Decimal("60.00")),
    ("delivery_type", "Самовивіз", "delivery_type", "Самовивіз"),
    ("delivery_type", {"id": 3, "title": {"ua": "Поштою", "ru": "Почтой"}}, "delivery_type", "Поштою"),
    ("delivery_type", {"id": "3", "title": "Нова &quot;Пошта&quot;"}, "delivery_type", 'Нова "Пошта"'),
    ("delivery_type", [], "delivery_type", ""),
    ("delivery_type", None, "delivery_type", ""),
    ("delivery_type", 3, "delivery_type", ""),
    ("payment_type", MISSING, "payment_type", ""),
    ("delivery_address", "01001@Київ@@вул. Тестова, 1@", "delivery_address", "01001, Київ, вул. Тестова, 1"),
    ("delivery_name", None, "delivery_name", ""),
    ("delivery_name", "Тест  &amp;\tПокупець\u0000", "delivery_name", "Тест & Покупець"),
    ("delivery_email", MISSING, "delivery_email", ""),
    ("delivery_phone", 380501234567, "delivery_phone", "380501234567"),
    ("delivery_city", MISSING, "city", "Київ"),
    ("comment", [], "comment", ""),
    ("comment", "a\r\nb", "comment", "a\nb"),
    ("coupon_code", 2025, "coupon_code", "2025"),
    ("delivery_data", [], "waybill", ""),
    ("delivery_data", None, "waybill", ""),
    ("delivery_data", MISSING, "waybill", ""),
    ("delivery_data", "none", "waybill", ""),
    ("delivery_data.tnNumber", 20400000000001, "waybill", "20400000000001"),
    ("delivery_data.tnNumber", "0", "waybill", ""),
    ("np_number", "20400000000002", "waybill", "20400000000002"),
    ("analytics", {"utm_campaign": 23964436493}, "order_id", "1001"),
    ("stat_created", "10.01.2026 09:15:00", "order_id", "1001"),
    ("total_quantity", "two", "total_quantity", 0),
    ("manager_id", "61", "order_id", "1001"),
    ("never_seen_before", {"a": [1]}, "order_id", "1001"),
]


@pytest.mark.parametrize(("path", "value", "field", "read"), ODD_BUT_GOOD)
def test_odd_forms_that_are_understood(path: str, value: object, field: str, read: object) -> None:
    assert getattr(good(changed(path, value)), field) == read


ODD_LINES = [
    ("price", "600", "price", Decimal("600.00")),
    ("price", "600,50", "price", Decimal("600.50")),
    ("price", 0, "price", Decimal("0.00")),
    ("quantity", "2", "quantity", Decimal(2)),
    ("quantity", 1.5, "quantity", Decimal("1.5")),
    ("article", 1001, "article", "1001"),
    ("article", 1001.0, "article", "1001"),
    ("article", " SKU\u00a01 ", "article", "SKU 1"),
    ("article", None, "article", ""),
    ("article", "", "article", ""),
    ("article", MISSING, "article", ""),
    ("title", {"ua": "Футболка", "ru": "Футболка ру"}, "title", "Футболка"),
    ("title", "", "title", ""),
    ("title", MISSING, "title", ""),
    ("type", None, "kind", ""),
    ("type", MISSING, "kind", ""),
    ("total_price", "nonsense", "kind", "product"),
]


@pytest.mark.parametrize(("field", "value", "read", "result"), ODD_LINES)
def test_odd_lines_that_are_understood(field: str, value: object, read: str, result: object) -> None:
    assert getattr(good(changed(f"products.0.{field}", value)).products[0], read) == result


def test_lines_keyed_by_id_are_lines() -> None:
    row = changed("products", {"17": SAMPLES[4]["products"][0], "18": SAMPLES[4]["products"][1]})
    assert [line.article for line in good(row).products] == ["SET-1", "SKU-2"]
    assert len(lines_of(row)) == 2


@pytest.mark.parametrize("nothing", [[], {}, None, "", MISSING])
def test_an_order_without_products_is_an_order(nothing: object) -> None:
    row = changed("products", nothing)
    row["total_quantity"] = 0
    assert good(row).products == []
    assert lines_of(row) == []


HELD = [
    ("order_id", MISSING, "order-number", "order_id is missing"),
    ("order_id", None, "order-number", "order_id is missing"),
    ("order_id", "", "order-number", "order_id is missing"),
    ("order_id", 0, "order-number", "order_id must be a number above 0"),
    ("order_id", -5, "order-number", "order_id must be a number above 0"),
    ("order_id", "A-1", "order-number", "order_id is not a whole number"),
    ("order_id", True, "order-number", "order_id is not a whole number"),
    ("order_id", 10**30, "order-number", "order_id must be a number above 0"),
    ("stat_created", MISSING, "order-created", "stat_created is missing"),
    ("stat_created", "0000-00-00 00:00:00", "order-created", "stat_created is a zero date"),
    ("stat_created", "soon", "order-created", "stat_created is not a date"),
    ("stat_status", MISSING, "order-status", "stat_status is missing"),
    ("stat_status", "new", "order-status", "stat_status is not a whole number"),
    ("stat_status", [], "order-status", "stat_status is missing"),
    ("stat_status", 10**12, "order-status", "stat_status is too large"),
    ("total_sum", MISSING, "order-total", "total_sum is missing"),
    ("total_sum", float("nan"), "order-total", "total_sum is not a finite number"),
    ("total_sum", float("inf"), "order-total", "total_sum is not a finite number"),
    ("total_sum", -1, "order-total", "total_sum is negative"),
    ("total_default", "free", "order-total", "total_default is not a number"),
    ("products.0.price", 999_999_999_999, "order-lines", "products is too large"),
    ("products", "none", "order-lines", "products is not a list"),
    ("products", 5, "order-lines", "products is not a list"),
    ("products", [], "order-lines", "products is empty, though total_quantity counts goods"),
    ("products", MISSING, "order-lines", "products is empty, though total_quantity counts goods"),
    ("products.0", None, "line-product", "Line 1 is not an object"),
    ("products.0", [], "line-product", "Line 1 is not an object"),
    ("products.0.price", MISSING, "line-price", "The price of line 1 is missing"),
    ("products.0.price", None, "line-price", "The price of line 1 is missing"),
    ("products.0.price", "1,299", "line-price", "The price of line 1 has a comma that may separate thousands"),
    ("products.0.price", True, "line-price", "The price of line 1 is not a number"),
    ("products.0.quantity", MISSING, "line-quantity", "The quantity of line 1 is missing"),
    ("products.0.quantity", float("nan"), "line-quantity", "The quantity of line 1 is not a finite number"),
    ("products", [{"title": "Чай", "price": 1, "quantity": 9e11}] * 2, "order-lines", "products is too large"),
    (
        "products.0.article",
        "9" * 256,
        "line-product",
        "Line 1 has an article above 255 characters, or a title above 1000",
    ),
]


@pytest.mark.parametrize(
    ("kind", "total", "price"),
    [("gift", 0, 0), ("set_item", "0.00", 0), ("gift", 45, 45), ("gift", MISSING, 45), ("product", 0, 45)],
)
def test_a_gift_or_a_part_of_a_set_costs_what_its_total_says(kind: str, total: object, price: int) -> None:
    line = {"article": "A", "price": 45, "quantity": 1, "type": kind}
    (read,) = good(changed("products", [line if total is MISSING else {**line, "total_price": total}])).products
    assert read.price == price


def test_a_part_of_a_set_below_0_is_no_line_though_the_set_counts() -> None:
    row = copy.deepcopy(SAMPLES[4])
    row["products"][1] |= {"price": -10, "total_price": -10}
    assert [line.kind for line in good(row).goods] == ["set_main", "gift"]


@pytest.mark.parametrize(("path", "value", "code", "message"), HELD)
def test_what_must_be_held_says_where_and_what_to_do(path: str, value: object, code: str, message: str) -> None:
    row = changed(path, value)
    held = bad(row)
    assert held.code == code
    assert held.message.startswith(message)
    assert held.fix.endswith("the next sync picks it up.")
    assert held.number == (None if path == "order_id" else "1001")
    for private in ("Покупець", "buyer1001", "380000001001", "Відділення"):
        assert private not in held.message + held.fix
    json.dumps(held.payload, allow_nan=False)


def test_a_line_with_neither_article_nor_title_holds_the_order() -> None:
    row = changed("products.0.article", " ")
    row["products"][0]["title"] = "&nbsp;"
    held = bad(row)
    assert (held.code, held.message) == ("line-product", "Line 1 has neither article nor title.")


def test_one_bad_line_of_several_holds_the_whole_order() -> None:
    row = copy.deepcopy(SAMPLES[4])
    row["products"][2]["quantity"] = None
    assert bad(row).message == "The quantity of line 3 is missing."


@pytest.mark.parametrize(
    ("price", "quantity", "said"),
    [
        (-50, 1, "Поправка: 1 × −50.00"),
        (45, 0, "Поправка: 0 × 45.00"),
        ("-0.01", "2", "Поправка: 2 × −0.01"),
        (25, -2, "Поправка: −2 × 25.00"),
        (45, 0.00001, "Поправка: 0 × 45.00"),
    ],
)
def test_a_line_without_goods_is_part_of_the_orders_discount(price: object, quantity: object, said: str) -> None:
    """A gift that a manager set to 0, a correction: the order goes through, and its total counts."""
    row = changed("coupon_code", "SALE")
    goods = row["products"][0]
    row["products"].append({"title": "Поправка", "price": price, "quantity": quantity})
    row["total_sum"] = 1100
    read = good(row)
    assert [line.title for line in read.goods] == [goods["title"]]
    assert read.discount == Decimal(str(goods["price"])) * goods["quantity"] - 1100
    assert read.coupon == f"SALE, {said}"


def test_many_faults_are_counted() -> None:
    held = bad({"order_id": 7})
    assert held.number == "7"
    assert held.message == "stat_created is missing; stat_status is missing; total_sum is missing."
    assert bad({}).message.endswith("; and 1 more.")


@pytest.mark.parametrize("raw", [None, [], "x", 5, float("nan")])
def test_what_is_no_row_at_all_is_held_too(raw: object) -> None:
    held = bad(raw)
    assert (held.number, held.code, held.message) == (None, "row-shape", "The row is not an object.")


def test_a_row_without_number_is_recognised_by_its_content() -> None:
    one, other = changed("order_id", None), changed("order_id", "")
    assert bad(one).id == bad(dict(reversed(one.items()))).id != bad(other).id
    assert bad({"order_id": 7}).id == "7"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(SAMPLES[0])), json_values)
def test_no_value_of_any_field_makes_reading_fail(field: str, value: object) -> None:
    read = read_row(changed(field, value))
    assert isinstance(read, BadRow | OrderRow)
    if isinstance(read, BadRow):
        json.dumps(read.payload, allow_nan=False).encode()


@given(st.sampled_from(sorted(SAMPLES[0]["products"][0])), json_values)
def test_no_value_of_any_line_makes_reading_fail(field: str, value: object) -> None:
    assert isinstance(read_row(changed(f"products.0.{field}", value)), BadRow | OrderRow)
