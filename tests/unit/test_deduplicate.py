"""One row per order and per product, one identity per buyer; an order keeps exactly its own lines, whatever
pages it came on."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from cartum_roapp.orders.frames import Frames
from cartum_roapp.shops import ShopConfig
from cartum_roapp.sync.deduplicate import deduplicate
from cartum_roapp.sync.transform import transform

SAMPLE: dict[str, Any] = json.loads((Path(__file__).parents[1] / "samples" / "cartum_orders.json").read_text("utf-8"))[
    "response"
]["orders"][0]
SHOP = ShopConfig(
    slug="test",
    key="abcdef",
    name="Test",
    url="https://shop.example.com",
    login="api",
    password=SecretStr("secret"),
    timezone="Europe/Kyiv",
    account="main",
    location_id=1,
    order_type_id=1,
    language="ua",
    identify_products_by="code",
    statuses={1: 1},
)


def row(number: int = 1, /, **changes: Any) -> dict[str, Any]:
    return copy.deepcopy(SAMPLE) | {"order_id": number} | changes


def line(article: str = "A", **changes: Any) -> dict[str, Any]:
    return {**SAMPLE["products"][0], "article": article, **changes}


def made_of(*rows: dict[str, Any], catalogue: dict[str, Any] | None = None) -> Frames:
    frames, bad = transform(rows, catalogue or {}, SHOP)
    assert bad == []
    return deduplicate(frames)


def records(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(frame.itertuples(index=False, name=None))


def test_of_an_order_on_two_pages_the_latest_read_wins_with_its_own_lines() -> None:
    first = [row(1, stat_status=1, products=[line("A"), line("OLD")]), row(2, products=[line("B")])]
    second = [row(1, stat_status=6, products=[line("A", quantity=9), line("NEW")])]
    made = made_of(*first, *second)
    assert dict(zip(made.orders["number"], made.orders["status_id"], strict=True)) == {"1": 6, "2": 1}
    assert sorted(zip(made.lines["number"], made.lines["product"], made.lines["quantity"], strict=True)) == [
        ("1", "article:a", 9),
        ("1", "article:new", 1 * 2),
        ("2", "article:b", 2),
    ]


def test_what_only_a_superseded_read_spoke_of_is_gone() -> None:
    made = made_of(
        row(1, delivery_phone="0501234567", products=[line("OLD")]),
        row(1, delivery_phone="0671234567", products=[line("NEW")]),
    )
    assert list(made.products["product"]) == ["article:new"]
    assert list(made.orders["customer"]) == ["phone:+380671234567"]


def test_one_buyer_under_several_spellings_is_one() -> None:
    spellings = ("8 050 123 45 67", "050 123-45-67", "+38(050)1234567")
    made = made_of(*(row(n, delivery_phone=phone) for n, phone in enumerate(spellings, 1)))
    assert list(made.orders["customer"]) == ["phone:+380501234567"] * 3


def test_buyers_by_phone_and_by_email_stay_two_identities() -> None:
    made = made_of(
        row(1, delivery_phone="0501234567", delivery_email="a@example.com"),
        row(2, delivery_phone="", delivery_email="A@example.com"),
    )
    assert set(made.orders["customer"]) == {"phone:+380501234567", "email:a@example.com"}


def test_one_product_is_one_row_and_what_is_known_of_it_stays() -> None:
    catalogue = {
        "A": {"title": {"ua": "Із каталогу"}, "description": {"ua": "Опис"}, "gtin": "4820000000017", "price": 650}
    }
    old, new = line("A", title="Стара", price=500), line("A", title="Нова", price=0, type="gift")
    read, bad = transform([row(2, products=[old])], catalogue, SHOP)
    unread, worse = transform([row(3, products=[new])], {}, SHOP)
    assert bad == worse == []
    made = deduplicate(replace(read, products=pd.concat([read.products, unread.products])))
    made.products["price"] = made.products["price"].map(str)
    assert records(made.products) == [("article:a", "A", "Із каталогу", "Опис", "4820000000017", "650.00", True)]


def test_some_orders_only() -> None:
    made = made_of(row(1, products=[line("A")]), row(2, products=[line("B")], delivery_phone="0501234567"))
    two = made.only({"2", "77"})
    assert list(two.orders["number"]) == list(two.lines["number"]) == ["2"]
    assert list(two.products["article"]) == ["B"]


def test_nothing_stays_nothing() -> None:
    for made in (deduplicate(Frames.empty()), made_of()):
        assert [len(frame) for frame in (made.orders, made.lines, made.products)] == [0, 0, 0]
        assert made.orders.dtypes.equals(Frames.empty().orders.dtypes)


def test_an_order_without_lines_stays() -> None:
    made = made_of(row(1, products=[], total_quantity=0), row(2))
    assert list(made.orders["number"]) == ["1", "2"]
    assert list(made.lines["number"]) == ["2"]


reads = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 3), st.sampled_from([1, 2])), max_size=4),
        st.sampled_from(["0501234567", "+380501234567", "0671234567", ""]),
    ),
    max_size=16,
)


@given(reads)
@settings(max_examples=40)
def test_orders_that_come_again_give_what_their_latest_rows_give(read: list[Any]) -> None:
    rows = [
        row(
            number,
            delivery_phone=phone,
            total_quantity=0,
            products=[line(article, quantity=count, price=price) for article, count, price in lines],
        )
        for number, lines, phone in read
    ]
    made, expected = made_of(*rows), made_of(*{raw["order_id"]: raw for raw in rows}.values())
    for name in ("orders", "lines"):
        assert sorted(map(repr, records(getattr(made, name)))) == sorted(map(repr, records(getattr(expected, name))))
    assert set(made.products["product"]) == set(expected.products["product"]) == set(made.lines["product"])
    assert set(made.lines["number"]) <= set(made.orders["number"])
    assert not made.orders["number"].duplicated().any() and not made.products["product"].duplicated().any()
    again = deduplicate(made)
    for name in ("orders", "lines", "products"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(made, name))
