"""One row per order and per product, one identity per buyer; an order keeps exactly its own lines."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from cartum_roapp.config import ShopConfig
from cartum_roapp.orders.frames import Frames
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


def part(*rows: dict[str, Any], catalogue: dict[str, Any] | None = None) -> Frames:
    frames, bad = transform(rows, catalogue or {}, SHOP)
    assert bad == []
    return frames


def records(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(frame.itertuples(index=False, name=None))


def test_of_an_order_on_two_pages_the_latest_read_wins_with_its_own_lines() -> None:
    first = part(row(1, stat_status=1, products=[line("A"), line("OLD")]), row(2, products=[line("B")]))
    second = part(row(1, stat_status=6, products=[line("A", quantity=9), line("NEW")]))
    made = deduplicate(first, second)
    assert dict(zip(made.orders["number"], made.orders["status_id"], strict=True)) == {"1": 6, "2": 1}
    assert sorted(zip(made.lines["number"], made.lines["product"], made.lines["quantity"], strict=True)) == [
        ("1", "article:A", 9),
        ("1", "article:NEW", 1 * 2),
        ("2", "article:B", 2),
    ]


def test_what_only_a_superseded_read_spoke_of_is_gone() -> None:
    first = part(row(1, delivery_phone="0501234567", products=[line("OLD")]))
    second = part(row(1, delivery_phone="0671234567", products=[line("NEW")]))
    made = deduplicate(first, second)
    assert list(made.products["product"]) == ["article:NEW"]
    assert list(made.orders["customer"]) == ["phone:+380671234567"]


def test_one_buyer_under_several_spellings_is_one() -> None:
    made = deduplicate(
        part(
            row(
                3,
                stat_created="2026-01-12 09:00:00",
                delivery_phone="8 050 123 45 67",
                delivery_name="",
                delivery_email="",
            ),
            row(
                1,
                stat_created="2026-01-10 09:00:00",
                delivery_phone="050 123-45-67",
                delivery_name="Стара Назва",
                delivery_email="old@example.com",
            ),
        ),
        part(
            row(
                2,
                stat_created="2026-01-11 09:00:00",
                delivery_phone="+38(050)1234567",
                delivery_name="Нова Назва",
                delivery_email="none",
            )
        ),
    )
    assert list(made.orders["customer"]) == ["phone:+380501234567"] * 3


def test_buyers_by_phone_and_by_email_stay_two_identities() -> None:
    made = deduplicate(
        part(
            row(1, delivery_phone="0501234567", delivery_email="a@example.com"),
            row(2, delivery_phone="", delivery_email="A@example.com"),
        )
    )
    assert set(made.orders["customer"]) == {"phone:+380501234567", "email:a@example.com"}


def test_one_product_is_one_row_and_what_is_known_of_it_stays() -> None:
    catalogue = {
        "A": {"title": {"ua": "Із каталогу"}, "description": {"ua": "Опис"}, "gtin": "4820000000017", "price": 650}
    }
    first = part(row(1), row(2, products=[line("A", title="Стара", price=500)]), catalogue=catalogue)
    second = part(row(3, products=[line("A", title="Нова", price=0, type="gift")]))
    made = deduplicate(first, second)
    made.products["price"] = made.products["price"].map(str)
    assert records(made.products[made.products["article"] == "A"]) == [
        ("article:A", "A", "Із каталогу", "Опис", "4820000000017", "650.00", True)
    ]


def test_some_orders_only() -> None:
    made = deduplicate(part(row(1, products=[line("A")]), row(2, products=[line("B")], delivery_phone="0501234567")))
    two = made.only({"2", "77"})
    assert list(two.orders["number"]) == list(two.lines["number"]) == ["2"]
    assert list(two.products["article"]) == ["B"]


def test_nothing_stays_nothing() -> None:
    for made in (deduplicate(), deduplicate(Frames.empty()), deduplicate(part(), part())):
        assert [len(frame) for frame in (made.orders, made.lines, made.products)] == [0, 0, 0]
        assert made.orders.dtypes.equals(Frames.empty().orders.dtypes)
    made = deduplicate(Frames.empty(), part(row(1)))
    assert list(made.orders["number"]) == ["1"]


def test_an_order_without_lines_stays() -> None:
    made = deduplicate(part(row(1, products=[], total_quantity=0)), part(row(2)))
    assert list(made.orders["number"]) == ["1", "2"]
    assert list(made.lines["number"]) == ["2"]


def test_frames_glued_by_hand_are_refused() -> None:
    one = part(row(1))
    glued = Frames(pd.concat([one.orders, one.orders]), one.lines, one.products)
    with pytest.raises(ValueError, match="twice"):
        deduplicate(glued)


reads = st.lists(
    st.lists(
        st.tuples(
            st.integers(1, 4),
            st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 3), st.sampled_from([1, 2])), max_size=4),
            st.sampled_from(["0501234567", "+380501234567", "0671234567", ""]),
        ),
        max_size=4,
    ),
    max_size=4,
)


@given(reads)
@settings(max_examples=40)  # each is five reads de-duplicated; another run draws others
def test_pages_in_any_cut_give_what_one_read_of_the_latest_rows_gives(pages: list[list[Any]]) -> None:
    parts, latest = [], {}
    for page in pages:
        rows = [
            row(
                number,
                delivery_phone=phone,
                total_quantity=0,
                products=[line(article, quantity=count, price=price) for article, count, price in lines],
            )
            for number, lines, phone in page
        ]
        parts.append(part(*rows))
        latest.update({raw["order_id"]: raw for raw in rows})
    made, expected = deduplicate(*parts), deduplicate(part(*latest.values()))
    for name in ("orders", "lines"):
        assert sorted(map(repr, records(getattr(made, name)))) == sorted(map(repr, records(getattr(expected, name))))
    assert set(made.products["product"]) == set(expected.products["product"])
    again = deduplicate(made)
    for name in ("orders", "lines", "products"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(made, name))
    assert set(made.lines["number"]) <= set(made.orders["number"])
    assert set(made.lines["product"]) == set(made.products["product"])
