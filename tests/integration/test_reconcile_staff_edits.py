"""What staff changed of an order's lines in RO App is reported once: no difference of the nights after, until its total
changes again. Nothing of it is written over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ledger_rows import rows
from world import Row, World

EDITED = "edited-in-roapp"


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=5, delivered=1, older=1) as world:
        world.imported()
        yield world


@pytest.fixture
def number(world: World) -> str:
    return world.box.shops[0].qualifying()[2]


def night(world: World) -> set[tuple[str, str]]:
    return {(one["number"], one["what"]) for one in world.reconciled(repair=True)["findings"]}


def add_fee(world: World, number: str, price: float = 60, entity: int | None = None) -> Row:
    """A line that staff add: a service, unless another product is named."""
    roapp, ro_id = world.box.roapp, world.roapp_order(number)["id"]
    entity = entity or next(iter(roapp.services))
    item_id = roapp.add_item(ro_id, entity_id=entity, quantity=1, price=price, cost=0)
    return next(item for item in roapp.items[ro_id] if item["id"] == item_id)


def change(world: World, number: str, item: Row, **fields: Any) -> None:
    item.update(fields)
    world.box.roapp.touch(world.roapp_order(number)["id"])


def dearest(world: World, number: str) -> Row:
    items = world.box.roapp.items[world.roapp_order(number)["id"]]
    return max(items, key=lambda item: float(item["price"]))


def test_a_line_of_staff_is_reported_once(world: World, number: str) -> None:
    add_fee(world, number)
    assert night(world) == {(number, EDITED)}
    reported = rows(world)
    document = world.reconciled(repair=True)
    assert document["findings"] == []
    assert rows(world) == reported, "the night after writes nothing"
    assert all((day["ledger_orders"], day["ledger_sum"]) == (day["roapp_orders"], day["roapp_sum"])
               for day in document["days"])  # fmt: skip


def test_it_is_reported_again_when_it_changes_and_not_when_it_goes(world: World, number: str) -> None:
    fee = add_fee(world, number)
    assert night(world) == {(number, EDITED)}
    change(world, number, fee, price=75)
    assert night(world) == {(number, EDITED)}
    assert night(world) == set()
    other = add_fee(world, number, 20)
    assert night(world) == {(number, EDITED)}
    assert night(world) == set()
    items = world.box.roapp.items[world.roapp_order(number)["id"]]
    items.remove(fee)
    change(world, number, other)
    assert night(world) == {(number, EDITED)}, "one is gone, the other is there"
    items.remove(other)
    world.box.roapp.touch(world.roapp_order(number)["id"])
    assert night(world) == set(), "all is as the shop has it"
    add_fee(world, number, 20)
    assert night(world) == {(number, EDITED)}, "it is another one"


def test_a_discount_that_staff_give_beside_it_is_reported_once_and_stays(world: World, number: str) -> None:
    add_fee(world, number)
    night(world)
    discount = {"type": "percentage", "percentage": 10, "amount": 0, "sponsor": "company"}
    change(world, number, dearest(world, number), discount=discount)
    assert night(world) == {(number, EDITED)}
    document = world.reconciled(repair=True)
    assert document["findings"] == []
    assert all(day["ledger_sum"] == day["roapp_sum"] for day in document["days"])
    assert dearest(world, number)["discount"] == discount
    change(world, number, dearest(world, number), discount={**discount, "percentage": 20})
    assert night(world) == {(number, EDITED)}


def test_what_the_shop_changes_beside_it_arrives_and_is_compared(world: World, number: str) -> None:
    add_fee(world, number)
    night(world)
    world.box.shops[0].add_line(number, "KR-799", 2, price=500)
    world.synced()
    assert world.held() == {}
    assert night(world) == set()
    world.box.roapp.items[world.roapp_order(number)["id"]].remove(dearest(world, number))
    world.box.roapp.touch(world.roapp_order(number)["id"])
    assert night(world) == {(number, EDITED)}


def test_a_second_line_of_the_orders_own_product_is_reported_too(world: World, number: str) -> None:
    line = dearest(world, number)
    add_fee(world, number, float(line["price"]), line["entity_id"])
    assert night(world) == {(number, EDITED)}
    assert night(world) == set()


def test_a_report_alone_remembers_nothing(world: World, number: str) -> None:
    add_fee(world, number)
    for _ in range(2):
        assert {(one["number"], one["what"]) for one in world.reconciled()["findings"]} == {(number, EDITED)}


def test_a_line_of_staff_that_the_shop_has_too_is_the_shops(world: World, number: str) -> None:
    roapp = world.box.roapp
    product = roapp.add_product("Подарунок", code="NEW-7")
    roapp.seeded["products"].add(product)
    add_fee(world, number, 60, product)
    assert night(world) == {(number, EDITED)}
    world.box.shops[0].add_line(number, "NEW-7", 1, price=60)
    world.synced()
    items = roapp.items[world.roapp_order(number)["id"]]
    assert [item["entity_id"] for item in items].count(product) == 1
    for _ in range(2):
        document = world.reconciled(repair=True)
        assert document["findings"] == []
        assert all(day["ledger_sum"] == day["roapp_sum"] for day in document["days"])
    items[:] = [item for item in items if item["entity_id"] != product]
    roapp.touch(world.roapp_order(number)["id"])
    assert night(world) == {(number, EDITED)}


def test_the_sums_of_a_day_have_no_line_that_staff_took_out_again(world: World, number: str) -> None:
    fee = add_fee(world, number)
    assert night(world) == {(number, EDITED)}
    world.box.roapp.items[world.roapp_order(number)["id"]].remove(fee)
    world.box.roapp.touch(world.roapp_order(number)["id"])
    document = world.reconciled(repair=True)
    assert document["findings"] == []
    assert all(day["ledger_sum"] == day["roapp_sum"] for day in document["days"])
