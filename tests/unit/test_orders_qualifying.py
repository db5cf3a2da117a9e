"""Which orders are taken over: the first import's window without Delivered, everything after it, nothing before."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from cartum_roapp.orders.qualifying import Rule
from cartum_roapp.orders.zones import to_wall, zone_of
from cartum_roapp.shops import ShopConfig
from cartum_roapp.sync.transform import transform

SAMPLE: dict[str, Any] = json.loads((Path(__file__).parents[1] / "samples" / "cartum_orders.json").read_text("utf-8"))[
    "response"
]["orders"][0]
KYIV = zone_of("Europe/Kyiv")
FROM, TO = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
RULE = Rule(FROM, TO, frozenset({3, 9}), KYIV)


@pytest.mark.parametrize(
    ("created", "status", "known", "taken"),
    [
        (FROM, 1, False, True),
        (FROM, 3, False, False),
        (FROM, 9, False, False),
        (FROM, 4, False, True),
        (FROM - SECOND, 1, False, False),
        (FROM - SECOND, 1, True, True),
        (FROM, 3, True, True),
        (TO - SECOND, 3, False, False),
        (TO, 3, False, True),
        (TO + timedelta(days=99), 3, False, True),
        (None, 3, False, True),
        (FROM, None, False, True),
        (FROM - SECOND, None, False, False),
    ],
)
def test_the_rule(created: datetime | None, status: int | None, known: bool, taken: bool) -> None:
    assert taken == RULE.qualifies("7", status, created, known={"7"} if known else set())


def raw(number: object, created: datetime, status: object) -> dict[str, Any]:
    stamp = to_wall(created, KYIV).strftime("%Y-%m-%d %H:%M:%S")
    return copy.deepcopy(SAMPLE) | {"order_id": number, "stat_created": stamp, "stat_status": status}


def test_a_reopened_order_of_the_window_comes_in() -> None:
    assert list(RULE.rows({"1": raw(1, FROM, 3)}, known=set())) == []
    assert list(RULE.rows({"1": raw(1, FROM, 2)}, known=set())) == ["1"]


def test_rows_that_can_not_be_read_are_kept_to_be_held() -> None:
    rows: dict[str, Any] = {
        "?a": raw(None, FROM, 1),
        "2": raw(2, FROM, 1) | {"stat_created": "0000-00-00 00:00:00"},
        "3": raw(3, FROM, "new"),
        "4": None,
        "5": raw(5, FROM - SECOND, "new"),
    }
    assert list(RULE.rows(rows, known=set())) == ["?a", "2", "3", "4"]


@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.datetimes(datetime(2025, 12, 20), datetime(2026, 3, 9)), st.integers(1, 9)),
        max_size=6,
        unique_by=lambda order: order[0],
    ),
    st.sets(st.sampled_from("123456789")),
)
def test_the_rule_is_one_before_and_after_the_transform(orders: list[Any], known: set[str]) -> None:
    rows = {str(number): raw(number, created.replace(tzinfo=UTC), status) for number, created, status in orders}
    shop = ShopConfig(
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
    frames, bad = transform(rows.values(), {}, shop)
    assert bad == []
    kept = RULE.frames(frames, known)
    assert set(kept.orders["number"]) == set(RULE.rows(rows, known))
    assert set(kept.lines["number"]) == set(kept.orders["number"])
