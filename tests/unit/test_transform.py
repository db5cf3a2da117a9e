"""Raw orders become typed frames: exact money, UTC stamps, E.164 phones, one language, stable hashes."""

from __future__ import annotations

import copy
import json
import random
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from cartum_roapp.errors import BadConfig
from cartum_roapp.orders.frames import LINES, ORDERS, PRODUCTS, Frames
from cartum_roapp.shops import ShopConfig
from cartum_roapp.sync.transform import transform

FOLDER = Path(__file__).parents[1] / "samples"
SAMPLES: list[dict[str, Any]] = json.loads((FOLDER / "cartum_orders.json").read_text("utf-8"))["response"]["orders"]
CATALOGUE: dict[str, dict[str, Any]] = {
    product["article"]: product
    for product in json.loads((FOLDER / "cartum_catalogue.json").read_text("utf-8"))["response"]["products"]
}


def shop(**changes: Any) -> ShopConfig:
    settings: dict[str, Any] = {
        "slug": "test",
        "key": "abcdef",
        "name": "Test",
        "url": "https://shop.example.com",
        "login": "api",
        "password": SecretStr("secret"),
        "timezone": "Europe/Kyiv",
        "account": "main",
        "location_id": 1,
        "order_type_id": 1,
        "language": "ua",
        "identify_products_by": "code",
        "statuses": {1: 1},
    }
    return ShopConfig(**settings | changes)


def row(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(SAMPLES[0]) | changes


def line(**changes: Any) -> dict[str, Any]:
    return {**SAMPLES[0]["products"][0], **changes}


def frames(*rows: Any, catalogue: dict[str, Any] | None = None, **settings: Any) -> Frames:
    made, bad = transform(rows, CATALOGUE if catalogue is None else catalogue, shop(**settings))
    assert bad == []
    return made


def only(frame: pd.DataFrame) -> dict[str, Any]:
    (record,) = frame.to_dict("records")
    return {str(name): value for name, value in record.items()}


def hash_of(raw: dict[str, Any], **settings: Any) -> str:
    return str(only(frames(raw, **settings).orders)["hash"])


def test_an_order_as_it_is_stored() -> None:
    made = frames(SAMPLES[2])
    order = only(made.orders)
    assert order.pop("hash").isalnum() and order.pop("row_digest").isalnum()
    assert order == {
        "number": "1003",
        "status_id": 3,
        "created_at": pd.Timestamp("2026-01-11 16:03:44", tz="UTC"),
        "customer": "phone:+380000001003",
        "buyer_name": "Тест Покупець",
        "buyer_phone": "+380000001003",
        "buyer_phone_raw": "+380000001003",
        "buyer_email": "buyer1003@example.com",
        "delivery_method": "Новою поштою",
        "delivery_city": "м. Київ, Київська обл.",
        "delivery_address": "Відділення №1",
        "delivery_price": Decimal("0.00"),
        "waybill": "20400000000001",
        "payment_method": "Карткою онлайн",
        "payment_price": Decimal("0.00"),
        "paid": True,
        "without_callback": False,
        "comment": "",
        "manager_comment": "Подзвонити після 18",
        "coupon": "",
        "discount": Decimal("0.00"),
        "total": Decimal("350.00"),
        "currency": "UAH",
        "buyer_phones": "",
        "phone_remark": "",
        "company": "",
        "company_number": "",
        "company_tax": "",
    }
    assert only(made.lines) == {
        "number": "1003",
        "product": "article:sku-2",
        "price": Decimal("350.00"),
        "quantity": Decimal(1),
        "title": "Кепка",
    }


@pytest.mark.parametrize("rows", [SAMPLES, []], ids=["samples", "nothing"])
def test_frames_have_exactly_the_agreed_columns_and_types(rows: list[dict[str, Any]]) -> None:
    made = frames(*rows)
    for frame, columns in (
        (made.orders, ORDERS),
        (made.lines, LINES),
        (made.products, PRODUCTS),
    ):
        assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
            name: str(pd.Series([], dtype=kind).dtype) for name, kind in columns.items()
        }
    decimals = [*made.orders["total"], *made.orders["discount"], *made.lines["price"], *made.products["price"]]
    assert all(isinstance(value, Decimal) for value in decimals)
    assert set(map(type, made.orders["delivery_price"])) <= {Decimal, type(None)}


def test_a_coupon_is_a_discount_of_the_order_and_not_of_its_lines() -> None:
    made = frames(SAMPLES[1])
    order = only(made.orders)
    assert (order["coupon"], order["discount"], order["total"]) == ("WINTER25", Decimal("200.00"), Decimal("599.00"))
    assert only(made.lines)["price"] == Decimal("799.00")


def test_parts_of_sets_and_gifts_stay_lines() -> None:
    assert list(frames(SAMPLES[4]).lines["price"].map(str)) == ["1200.00", "0.00", "0.00"]


def test_one_bad_row_is_held_and_the_rest_goes_on() -> None:
    broken = row(order_id=7, products=[line(), line(price=None)])
    made, bad = transform([broken, None, *SAMPLES], CATALOGUE, shop())
    assert len(made.orders) == len(SAMPLES)
    assert "7" not in set(made.orders["number"]) | set(made.lines["number"])
    assert [(held.number, held.code) for held in bad] == [("7", "line-price"), (None, "row-shape")]


def test_of_an_order_read_twice_the_later_read_counts() -> None:
    early, late = row(products=[line(quantity=1), line(article="OLD")]), row(products=[line(quantity=5)], stat_status=6)
    made = frames(early, late)
    assert only(made.orders)["status_id"] == 6
    assert only(made.lines)["quantity"] == 5
    broken = row(stat_status=None)
    made, bad = transform([early, broken], CATALOGUE, shop())
    assert (len(made.orders), len(made.lines), [held.number for held in bad]) == (0, 0, ["1001"])
    made, bad = transform([broken, early], CATALOGUE, shop())
    assert (len(made.orders), bad) == (1, [])


def test_orders_come_oldest_first() -> None:
    made = frames(*reversed(SAMPLES))
    assert list(made.orders["created_at"]) == sorted(made.orders["created_at"])


@pytest.mark.parametrize(
    ("wall", "utc"),
    [
        ("2026-03-29 02:59:59", datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC)),
        ("2026-03-29 03:30:00", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("2026-10-25 03:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25 04:00:00", datetime(2026, 10, 25, 2, 0, tzinfo=UTC)),
    ],
)
def test_the_nights_when_clocks_change(wall: str, utc: datetime) -> None:
    assert only(frames(row(stat_created=wall)).orders)["created_at"] == pd.Timestamp(utc)


def test_a_shop_elsewhere_has_its_own_clock_and_country() -> None:
    order = only(frames(row(delivery_phone="069 123 456"), timezone="Europe/Chisinau").orders)
    assert order["customer"] == "phone:+37369123456"
    order = only(frames(row(delivery_phone="0721 234 567"), phone_region="RO", timezone="UTC").orders)
    assert (order["buyer_phone"], order["created_at"].hour) == ("+40721234567", 9)


def test_an_unknown_zone_stops_the_shop() -> None:
    with pytest.raises(BadConfig, match="timezone"):
        transform([], {}, shop().model_copy(update={"timezone": "Mars/Base"}))


def test_buyers_meet_by_phone_then_by_email() -> None:
    made = frames(
        row(order_id=1, delivery_phone="050 123-45-67", delivery_email="a@example.com"),
        row(order_id=2, delivery_phone="+38(050)1234567", delivery_email=""),
        row(order_id=3, delivery_phone="none", delivery_email=" A@Example.com"),
        row(order_id=4, delivery_phone="none", delivery_email=""),
    )
    assert list(made.orders["customer"]) == ["phone:+380501234567"] * 2 + ["email:a@example.com", "order:4"]
    assert list(made.orders["buyer_phone_raw"])[2:] == ["none", "none"]


def test_titles_descriptions_and_barcodes_come_from_the_catalogue() -> None:
    catalogue = {
        "SKU-1-BLACK": CATALOGUE["SKU-1-BLACK"]
        | {"title": {"ua": "Футболка &quot;Ніч&quot;", "ru": "Ночь"}, "gtin": " 4820000000001 ", "price": "650,50"}
    }
    assert only(frames(SAMPLES[0], catalogue=catalogue).products) == {
        "product": "article:sku-1-black",
        "article": "SKU-1-BLACK",
        "title": 'Футболка "Ніч"',
        "description": "Опис",
        "barcode": "4820000000001",
        "price": Decimal("650.50"),
        "listed": True,
    }
    assert only(frames(SAMPLES[0], catalogue=catalogue, language="ru").products)["title"] == "Ночь"
    assert only(frames(SAMPLES[0], catalogue=catalogue, language="ru").products)["description"] == "Опис"


@pytest.mark.parametrize("entry", [None, [], {"title": [], "description": None, "gtin": [], "price": "?"}])
def test_what_the_catalogue_lacks_comes_from_the_line(entry: Any) -> None:
    product = only(frames(SAMPLES[0], catalogue={"SKU-1-BLACK": entry}).products)
    assert product["title"] == "Футболка чорна"
    assert (product["description"], product["barcode"], product["price"]) == ("", "", Decimal("600.00"))


def test_a_line_without_article_is_a_product_by_its_title() -> None:
    made = frames(row(products=[line(article="", title=" Доставка  &amp; ЗБІРКА ")]))
    assert only(made.lines)["product"] == "name:доставка & збірка"
    assert only(made.products)["title"] == "Доставка & ЗБІРКА"
    assert only(frames(row(products=[line(article=1001, title="")])).products)["title"] == "1001"


def test_equal_product_and_price_make_one_line() -> None:
    lines = frames(
        row(
            products=[
                line(quantity=2),
                line(quantity="0.5", price="600.00", title="Інша назва"),
                line(quantity=0.5, price=600.0),
                line(quantity=1, price=500),
            ]
        )
    ).lines
    assert [(str(price), str(quantity)) for price, quantity in zip(lines["price"], lines["quantity"], strict=True)] == [
        ("600.00", "3"),
        ("500.00", "1"),
    ]
    assert list(lines["title"]) == ["Футболка чорна", "Футболка чорна"]


raw_lines = st.lists(
    st.fixed_dictionaries(
        {
            "article": st.sampled_from(["A", "B", "", 7]),
            "title": st.sampled_from(["Кепка", "КЕПКА ", "Шапка"]),
            "price": st.sampled_from([0, 1, 1.0, "1.00", 1.5, "1,5", 2]),
            "quantity": st.sampled_from([1, "1", 2, 0.5, "1.25"]),
            "type": st.sampled_from(["product", "gift", None]),
        }
    ),
    max_size=8,
)


@given(raw_lines, st.randoms(use_true_random=False))
def test_merged_lines_keep_every_piece_in_whatever_order(lines: list[dict[str, Any]], rng: random.Random) -> None:
    made = frames(row(products=lines, total_quantity=0))
    assert not made.lines.duplicated(["number", "product", "price"]).any()
    assert sum(made.lines["quantity"]) == sum(Decimal(str(piece["quantity"])) for piece in lines)
    assert sum(made.lines["price"] * made.lines["quantity"]) == sum(
        Decimal(str(piece["price"]).replace(",", ".")) * Decimal(str(piece["quantity"])) for piece in lines
    )
    assert set(made.lines["product"]) == set(made.products["product"])
    shuffled = rng.sample(lines, len(lines))
    assert hash_of(row(products=shuffled, total_quantity=0)) == only(made.orders)["hash"]


SAME = [
    {"order_id": "1001"},
    {"stat_status": "1"},
    {"total_sum": "1200.00"},
    {"total_sum": 1200.0, "total_default": "1200"},
    {"payed": "0"},
    {"payed": False},
    {"delivery_price": "-1"},
    {"delivery_price": None},
    {"comment": None},
    {"comment": []},
    {"delivery_name": "Тест &nbsp;Покупець"},
    {"delivery_phone": "38 000 000 10 01"},
    {"delivery_email": " Buyer1001@EXAMPLE.com"},
    {"delivery_type": "Новою поштою"},
    {"products": {"9": line()}},
    {"products": [line(price="600", quantity="2")]},
    {"products": [line(quantity=1), line(quantity=1)]},
    {"products": [line(title="Перейменована футболка")]},
    {"products": [line(type="set_main", discount_marker="NONE", storage_id=5)]},
    {
        "delivery_data": SAMPLES[0]["delivery_data"]
        | {"tnStatusName": "Їде", "tnTrackingUpdateDate": "2026-01-14 10:00:00"}
    },
    {"analytics": []},
    {"customer_details": {"group": 7}},
    {"customer_details": {"name": "Хто замовляє", "phone": "0501112233"}},
    {"customer_details": {"manager": {"name": "Олег", "phone": "0501112233"}}},
    {"customer_details": None},
    {"user": 1},
    {"manager_id": 61},
]


@pytest.mark.parametrize("changes", SAME)
def test_the_hash_is_deaf_to_form_and_to_what_moves_by_itself(changes: dict[str, Any]) -> None:
    assert hash_of(row(**changes)) == hash_of(SAMPLES[0])


def test_the_hash_is_deaf_to_the_catalogue_and_to_the_zones_old_name() -> None:
    assert hash_of(SAMPLES[0], catalogue={}) == hash_of(SAMPLES[0])
    assert hash_of(SAMPLES[0], timezone="Europe/Kiev") == hash_of(SAMPLES[0])


DIFFERENT: list[dict[str, Any]] = [
    {"order_id": 1002},
    {"stat_status": 2},
    {"stat_created": "2026-01-10 09:15:01"},
    {"total_sum": 1199.99},
    {"payment_price": 15},
    {"order_without_callback": True},
    {"payed": 1},
    {"delivery_price": 0},
    {"delivery_price": 60},
    {"comment": "Передзвоніть"},
    {"manager_comment": "x"},
    {"coupon_code": "X"},
    {"currency": "MDL"},
    {"delivery_name": "Інший Покупець"},
    {"delivery_phone": "+380501234567"},
    {"delivery_phone": "none"},
    {"delivery_phone": f"{SAMPLES[0]['delivery_phone']}, 0509998877"},
    {"delivery_phone": f"{SAMPLES[0]['delivery_phone']} (чоловік)"},
    {"delivery_phone": f"{SAMPLES[0]['delivery_phone']}, чоловік"},
    {"delivery_email": "other@example.com"},
    {"customer_details": {"company": "ТОВ", "edrpou": "12345678"}},
    {"customer_details": {"company": "ТОВ", "edrpou": "12345679"}},
    {"customer_details": {"edrpou": "12345678"}},
    {"delivery_type": {"id": 8, "title": "Самовивіз"}},
    {"payment_type": {"id": 14, "title": "Карткою онлайн"}},
    {"delivery_city": "Львів"},
    {"delivery_address": "Відділення №2"},
    {"delivery_data": SAMPLES[0]["delivery_data"] | {"tnNumber": "20400000000001"}},
    {"products": [line(quantity=3)]},
    {"products": [line(price=601)]},
    {"products": [line(article="SKU-1-WHITE")]},
    {"products": [line(), line(article="SKU-2")]},
    {"products": [], "total_quantity": 0},
]


def test_the_hash_sees_every_change_that_matters() -> None:
    hashes = [hash_of(SAMPLES[0]), *(hash_of(row(**changes)) for changes in DIFFERENT)]
    assert len(set(hashes)) == len(hashes)


def test_the_hash_is_the_one_of_yesterday() -> None:
    """Another value here makes every order of every shop a changed one: raise fingerprint.VERSION knowingly."""
    assert hash_of(SAMPLES[1]) == "c0a8f20807c545c123f3d7b38656fd42e33736ff9db3777cfc486e88693b699b"
