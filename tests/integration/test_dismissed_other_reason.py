"""A record that a person has dismissed for one reason hides no other one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from world import Row, World

from cartum_roapp.ledger import held, held_selection


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=3, delivered=0, older=0) as world:
        world.imported()
        yield world


def _unknown_product() -> Row:
    return {"article": "NO-SUCH", "title": "Невідомий", "price": 10, "quantity": 1, "total_price": 10,
            "type": "product", "discount_marker": None}  # fmt: skip


def dismissed(world: World, number: str) -> None:
    key = world.shop().key
    with world.engine.begin() as connection:
        held.dismiss(connection, key, held_selection.find(world.engine, key, [number]), "the line is entered by hand")


def changed_and_dismissed(world: World) -> str:
    """An order of RO App whose new line can't be brought; a person has entered it and leaves the record."""
    box, shop = world.box.shops[0], world.shop(missing_products="hold")
    number = box.qualifying()[0]
    products = [*box.orders[number]["products"], _unknown_product()]
    total = sum(float(one["total_price"]) for one in products)
    box.edit(number, products=products, total_sum=total, total_default=total,
             total_quantity=sum(int(one["quantity"]) for one in products))  # fmt: skip
    world.synced(shop)
    assert world.held(shop) == {("order", number): "product-missing"}
    dismissed(world, number)
    assert world.held(shop) == {}
    return number


def test_a_doubled_order_is_seen_although_another_record_of_it_was_dismissed(world: World) -> None:
    shop = world.shop(missing_products="hold")
    number = changed_and_dismissed(world)
    order = world.roapp_order(number)
    world.box.roapp.add_order(
        order["branch_id"], order["order_type_id"], order["client_id"], manager_notes=order["manager_notes"]
    )
    report = world.reconciled(shop, repair=True)
    told = {one["number"]: (one["what"], one["outcome"]) for one in report["findings"]}
    assert told == {number: ("doubled-in-roapp", "held")}
    again = world.reconciled(shop, repair=True)
    assert world.held(shop) == {("order", number): "doubled"}, (
        f"`held list` shows nothing, though the report says 'held'; the next night tells {again['findings']}"
    )


def test_a_doubled_order_that_a_person_left_comes_back_when_it_changes(world: World) -> None:
    box = world.box.shops[0]
    number = box.qualifying()[0]
    order = world.roapp_order(number)
    world.box.roapp.add_order(
        order["branch_id"], order["order_type_id"], order["client_id"], manager_notes=order["manager_notes"]
    )
    world.reconciled(repair=True)
    dismissed(world, number)
    assert world.held() == {}
    box.set_waybill(number, "20450000000001")
    world.synced()
    assert world.held() == {("order", number): "doubled"}


def test_an_order_that_was_deleted_is_seen_although_another_record_of_it_was_dismissed(world: World) -> None:
    shop = world.shop(missing_products="hold")
    number = changed_and_dismissed(world)
    world.box.roapp.delete_order(world.roapp_order(number)["id"])
    for _ in range(2):
        report = world.reconciled(shop, repair=True)
    assert world.held(shop) == {("order", number): "deleted-in-roapp"} or report["findings"]


def test_the_day_of_an_order_that_a_person_left_does_not_differ_every_night(world: World) -> None:
    """`held dismiss` of an order that was deleted in RO App on purpose: the guide says that it is no difference."""
    number = world.box.shops[0].qualifying()[1]
    world.box.roapp.delete_order(world.roapp_order(number)["id"])
    world.reconciled(repair=True)
    assert world.held() == {("order", number): "deleted-in-roapp"}
    dismissed(world, number)
    report = world.reconciled(repair=True)
    assert report["findings"] == []
    uneven = [one for one in report["days"] if len({one[f"{side}_orders"] for side in ("shop", "ledger", "roapp")}) > 1]
    assert world.held() == {} and uneven == [], "the day is told to differ, and `held list` shows nothing"
