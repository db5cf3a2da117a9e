"""An order is made in RO App and not brought on for a while: what staff do with it meanwhile stays, and what nobody has
done yet is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from world import World

from cartum_roapp.errors import Retryable
from cartum_roapp.shops import ShopConfig

QUICK: dict[str, Any] = {"http_timeout": 0.4, "unclear_wait": 0.2, "recheck_after": 60.0, "retry_base": 0.001}
NEW, PROCESSING, DELIVERED, SHIPPING = 1, 2, 3, 6
HOW = ("a line is refused", "RO App is down", "its answer is lost")
PHONE, ANOTHER = "+380671112233", "+380509998877"


@pytest.fixture
def world(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("cartum_roapp.delivery.drain.backoff", lambda attempts: 0.01)
    with World.of(database, orders=0, delivered=0, older=0, settings=QUICK) as world:
        world.imported()
        yield world


def interrupted(world: World, how: str, shop: ShopConfig, status: int = NEW) -> str:
    """The number of an order that was made in RO App, and nothing else; RO App takes everything again."""
    roapp = world.box.roapp
    number = world.box.shops[0].place_order(articles=[("KR-799", 1)], status=status, delivery_phone=PHONE)
    if how == HOW[0]:
        roapp.faults.fail("error", 99, method="POST", path="/items$", status=422)

    def down(method: str, path: str, phase: str) -> None:
        if how != HOW[0] and (method, path, phase) == ("POST", "/orders", "applied"):
            roapp.faults.fail("error", 999)

    stop = roapp.on_call(down)
    if how == HOW[2]:
        roapp.faults.fail("drop_after", 1, method="POST", path="^/orders$")
    with suppress(Retryable):
        world.synced(shop)
    stop()
    roapp.faults.calm()
    assert world.roapp_items(number) == []
    return number


def unmatched(world: World) -> int:
    """A status of RO App that none of the shop is matched with."""
    return min(set(world.box.roapp.statuses) - set(world.shop().statuses.values()))


def brought_on(world: World, number: str, shop: ShopConfig) -> None:
    """The order is tried until it is there whole."""
    world.synced(shop)
    if ("order", number) in world.held(shop):
        world.replayed(number, shop=shop)
    world.synced(shop)
    assert len(world.roapp_items(number)) == 1


@pytest.mark.parametrize("ways", ["both", "to_roapp"])
@pytest.mark.parametrize("how", HOW)
def test_a_status_that_staff_set_meanwhile_stays(world: World, how: str, ways: str) -> None:
    shop = world.shop(status_direction=ways)
    number = interrupted(world, how, shop)
    world.box.roapp.set_status(world.roapp_order(number)["id"], shop.statuses[SHIPPING])
    brought_on(world, number, shop)
    assert world.roapp_order(number)["status_id"] == shop.statuses[SHIPPING]
    assert world.box.shops[0].orders[number]["stat_status"] == (SHIPPING if ways == "both" else NEW)
    assert world.held(shop) == {}


@pytest.mark.parametrize("ways", ["both", "to_roapp"])
@pytest.mark.parametrize("how", HOW)
def test_a_status_that_both_sides_set_meanwhile_is_reported(world: World, how: str, ways: str) -> None:
    shop = world.shop(status_direction=ways)
    number = interrupted(world, how, shop)
    world.box.roapp.set_status(world.roapp_order(number)["id"], shop.statuses[SHIPPING])
    world.box.shops[0].set_status(number, PROCESSING)
    brought_on(world, number, shop)
    assert world.roapp_order(number)["status_id"] == shop.statuses[SHIPPING]
    assert world.box.shops[0].orders[number]["stat_status"] == PROCESSING
    assert world.held(shop) == {("status", number): "status-differs"}
    world.box.shops[0].set_status(number, DELIVERED)
    world.synced(shop)
    assert world.roapp_order(number)["status_id"] == shop.statuses[DELIVERED], "the next change is carried over"
    assert world.held(shop) == {}


@pytest.mark.parametrize(("how", "others"), [(HOW[0], 0), *((how, 1) for how in HOW)])
@pytest.mark.parametrize("status", [NEW, PROCESSING])
def test_an_order_that_nobody_has_moved_gets_the_shops_status(world: World, how: str, status: int, others: int) -> None:
    """RO App's orders begin in a status that none of the shop is matched with. `others`: it has shown that before."""
    roapp, shop = world.box.roapp, world.shop()
    own = roapp.order_types[shop.order_type_id]["initial_status_id"] = unmatched(world)
    for n in range(others):
        world.box.shops[0].place_order(articles=[("CAP-2", 1)], delivery_phone=f"+38067111224{n}")
        world.synced()
    number = interrupted(world, how, shop, status)
    assert world.roapp_order(number)["status_id"] == own
    brought_on(world, number, shop)
    assert world.differences(shop, list(world.box.shops[0].orders)) == []
    assert world.held() == {}


def test_an_order_that_ro_app_shows_a_little_after_its_answer_gets_the_shops_status(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cartum_roapp.delivery.bindings.SHOWN_WITHIN", 0.01)
    roapp, shop = world.box.roapp, world.shop()
    roapp.order_types[shop.order_type_id]["initial_status_id"] = unmatched(world)
    number = world.box.shops[0].place_order(articles=[("KR-799", 1)])
    roapp.faults.fail("error", 1, method="GET", path=r"^/orders/\d+$", status=404)
    world.synced()
    world.synced()
    assert roapp.faults.plan == []
    assert world.differences(shop, [number]) == []


def test_a_status_that_is_matched_after_staff_have_moved_the_order_does_not_move_it_back(world: World) -> None:
    roapp, box = world.box.roapp, world.box.shops[0]
    box.add_status(9, {"ua": "На складі"})
    number = box.place_order(articles=[("KR-799", 1)], status=9)
    world.synced()
    assert world.held() == {("status", number): "status-unmatched"}
    staffs = world.shop().statuses[SHIPPING]
    roapp.set_status(world.roapp_order(number)["id"], staffs)
    matched = world.shop(statuses={**world.shop().statuses, 9: world.shop().statuses[PROCESSING]})
    world.synced(matched)
    assert world.roapp_order(number)["status_id"] == staffs
    assert world.held() == {("status", number): "status-differs"}


@pytest.mark.parametrize("sold", [False, True])
@pytest.mark.parametrize("notes", [True, False])
def test_a_client_whom_staff_chose_before_the_order_was_found_stays(world: World, sold: bool, notes: bool) -> None:
    """`sold`: they chose nobody, and the shop has another buyer."""
    roapp, shop = world.box.roapp, world.shop()
    number = interrupted(world, HOW[2], shop)
    order = world.roapp_order(number)
    if sold:
        world.box.shops[0].edit(number, delivery_phone=ANOTHER, delivery_email="")
    else:
        order["client_id"] = roapp.add_contact("Бухгалтерія", phones=[ANOTHER])
        roapp.touch(order["id"])
    roapp.faults.switch(order_notes=notes, list_notes=notes)
    brought_on(world, number, shop)
    phones = [one["phone"] for one in roapp.contacts[world.roapp_order(number)["client_id"]]["phones"]]
    assert [f"+{phone.lstrip('+')}" for phone in phones] == [ANOTHER]
    assert world.held() == {}
