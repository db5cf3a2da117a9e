"""A held record goes when nothing of it is left, and comes back when something else is wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from world import World

from cartum_roapp.ledger import held, held_selection


@pytest.fixture
def world(database: str) -> Iterator[World]:
    """Held records are due at each sync."""
    with World.of(database, orders=0, delivered=0, older=0, settings={"look_again": 0}) as world:
        yield world


def dismiss(world: World, number: str) -> None:
    key = world.shop().key
    with world.engine.begin() as connection:
        held.dismiss(connection, key, held_selection.find(world.engine, key, [number]), "leave it")


def test_a_dismissed_total_hides_no_other_one(world: World) -> None:
    roapp, shop = world.box.roapp, world.box.shops[0]
    roapp.faults.line_rounding = "whole"
    number = world.placed(("KR-799", 1), less="0.40")
    world.imported()
    assert world.held() == {("total", number): "total-differs"}
    dismiss(world, number)
    shop.change_line(number, 0, price="799.50", quantity=100)
    shop.edit(number, total_default=79950, total_sum=79850.25)
    world.synced()
    assert world.held() == {("total", number): "total-differs"}


def test_a_dismissed_status_hides_no_other_one(world: World) -> None:
    shop, roapp, statuses = world.box.shops[0], world.box.roapp, world.shop().statuses
    number = world.placed(("KR-799", 1), status=1)
    world.imported()
    roapp.faults.refused_statuses = (statuses[2], statuses[6])
    shop.set_status(number, 2)
    world.synced()
    assert world.held() == {("status", number): "refused"}
    dismiss(world, number)
    shop.set_status(number, 6)
    world.synced()
    assert world.held() == {("status", number): "refused"}


def test_a_held_total_of_an_order_that_the_shop_deleted(world: World) -> None:
    shop = world.box.shops[0]
    for _ in range(4):
        world.placed(("CAP-2", 1))
    world.box.roapp.faults.line_rounding = "whole"
    number = world.placed(("KR-799", 1), less="0.40")
    world.imported()
    assert world.held() == {("total", number): "total-differs"}
    shop.delete_order(number)
    for _ in range(3):
        world.synced()
    before = world.value("SELECT version FROM orders WHERE number = :n", n=number)
    world.synced()
    world.synced()
    assert world.value("SELECT version FROM orders WHERE number = :n", n=number) == before, "idle is free"
    assert world.held() == {}


def test_a_held_total_of_an_order_whose_goods_are_written_off(world: World) -> None:
    roapp, shop = world.box.roapp, world.box.shops[0]
    roapp.faults.line_rounding = "whole"
    number = world.placed(("KR-799", 1), less="0.40")
    world.imported()
    assert world.held() == {("total", number): "total-differs"}
    order = world.roapp_order(number)["id"]
    roapp.write_off(order)
    shop.change_line(number, 0, quantity=2)
    shop.edit(number, total_sum=1598)
    world.synced()
    item = roapp.items[order][0]  # the fix is followed
    item["price"] = 1598
    roapp.touch(order)
    world.synced()
    assert world.total(number) == 1598
    assert world.held() == {}
