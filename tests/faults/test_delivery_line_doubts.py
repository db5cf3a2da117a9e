"""What a line may have got without an answer, or has kept as it was not let go, is put right with the line."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from world import World

from cartum_roapp.errors import Retryable

QUICK: dict[str, Any] = {
    "http_timeout": 0.4, "unclear_wait": 0.2, "recheck_after": 60.0, "retry_base": 0.001, "retries": 2,
}  # fmt: skip
ITEM = r"^/orders/\d+/items/\d+$"


@pytest.fixture
def world(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("cartum_roapp.delivery.drain.backoff", lambda attempts: 0.01)
    with World.of(database, orders=0, delivered=0, older=0, settings=QUICK) as world:
        yield world


def unanswered(world: World) -> None:
    """A sync whose changes of lines RO App carries out without a clear answer."""
    world.box.roapp.faults.fail("error_after", 999, method="PATCH", path=ITEM)
    with suppress(Retryable):
        world.synced()
    world.box.roapp.faults.calm()


def coupon(world: World, number: str, less: str) -> None:
    """The order's only discount is this amount."""
    shop = world.box.shops[0]
    gross = sum(Decimal(str(line["total_price"])) for line in shop.orders[number]["products"])
    none = dict.fromkeys(("coupon_percent", "discount_percent", "coupon_discount_value", "discount_value"), 0)
    shop.edit(number, total_default=float(gross), total_sum=float(gross - Decimal(less)), coupon_code="", **none)


def placed(world: World, less: str = "0") -> str:
    number = world.box.shops[0].place_order(articles=[("KR-799", 1), ("LMP-07", 2)], delivery_phone="+380671112233")
    coupon(world, number, less)
    return number


def index_of(world: World, number: str, item: dict[str, Any]) -> int:
    """Which line of the shop's order RO App's is."""
    code = world.box.roapp.products[item["entity_id"]]["code"]
    return [line["article"] for line in world.box.shops[0].orders[number]["products"]].index(code)


def is_cheaper(world: World, number: str, item: dict[str, Any]) -> bool:
    """Whether RO App's line costs less than the shop's: it carries a discount."""
    line = world.box.shops[0].orders[number]["products"][index_of(world, number, item)]
    return Decimal(str(item["price"])) < Decimal(str(line["price"]))


def wanted(world: World, number: str) -> Decimal:
    return Decimal(str(world.box.shops[0].orders[number]["total_sum"]))


def test_a_discount_in_doubt_is_taken_off_with_the_line(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    number = placed(world)
    world.imported()
    assert world.total(number) == wanted(world, number)
    coupon(world, number, "100")
    unanswered(world)
    silent = next(item for item in world.roapp_items(number) if is_cheaper(world, number, item))
    shop.remove_line(number, index_of(world, number, silent))  # and the coupon: the totals follow
    world.synced()
    world.synced()
    world.reconciled(repair=True)
    world.synced()
    assert world.held() == {}
    assert world.total(number) == wanted(world, number), roapp.items[world.roapp_order(number)["id"]]


def test_a_price_in_doubt_is_not_kept_by_a_line_that_went_and_came_back(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    number = placed(world)
    world.imported()
    shop.change_line(number, 0, price=500)
    unanswered(world)
    assert {Decimal(str(item["price"])) for item in world.roapp_items(number)} >= {Decimal(500)}
    line = dict(shop.orders[number]["products"][0])
    shop.remove_line(number, 0)
    world.synced()
    shop.add_line(number, line["article"], 1, price=799)
    world.synced()
    world.synced()
    assert world.held() == {}
    assert world.total(number) == wanted(world, number), roapp.items[world.roapp_order(number)["id"]]


def test_a_line_that_ro_app_did_not_let_go_comes_back_without_its_discount(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    roapp.faults.zero_quantity = False
    number = placed(world, "100")
    world.imported()
    assert world.total(number) == wanted(world, number)
    shop.remove_line(number, 0)
    world.synced()
    assert set(world.held().values()) == {"line-not-removable"}
    shop.add_line(number, "KR-799", 1)  # the manager puts it back; the coupon is gone
    world.synced()
    world.synced()
    assert world.held() == {}
    assert world.total(number) == wanted(world, number), roapp.items[world.roapp_order(number)["id"]]


def test_an_order_that_is_sent_again_is_put_right(world: World) -> None:
    """The first story, and then `order resend`."""
    shop = world.box.shops[0]
    number = placed(world)
    world.imported()
    coupon(world, number, "100")
    unanswered(world)
    silent = next(item for item in world.roapp_items(number) if is_cheaper(world, number, item))
    shop.remove_line(number, index_of(world, number, silent))
    world.synced()
    asyncio.run(world.resend(world.shop(), [number]))
    world.synced()
    assert world.total(number) == wanted(world, number)
