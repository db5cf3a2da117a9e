"""Orders of a shop arrive in RO App: once, complete, and with every change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from world import World

from cartum_roapp.ledger import held
from cartum_roapp.sync.dismissal import dismiss
from sandbox import Sandbox


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with Sandbox(orders=20, seed=11, rate_limit=0) as box:
        yield World(box, database)


def test_an_import_brings_every_qualifying_order_once(world: World) -> None:
    run = world.imported()
    taken = world.box.shops[0].qualifying()
    assert run.counts.delivered == len(taken) == 20
    assert world.differences(world.shop(), taken) == []


def in_roapp(world: World, number: str) -> tuple[Any, ...]:
    order = world.roapp_order(number)
    return order["client_id"], order["manager_notes"], order["status_id"], world.roapp_items(number)


OTHER_BUYER = {"delivery_name": "Петро Інший", "delivery_phone": "+380509998877", "delivery_email": ""}


@pytest.mark.parametrize("by", ["a phone", "a name alone"])
def test_a_number_that_the_shop_gives_to_another_order_is_held(world: World, by: str) -> None:
    shop = world.box.shops[0]
    if by == "a name alone":
        for number in shop.orders:
            shop.edit_buyer(number, name="Олена", phone="", email="")
    world.imported()
    number = shop.qualifying()[0]
    known, before = dict(shop.orders[number]), in_roapp(world, number)
    now = f"{shop.clock.now():%Y-%m-%d} 00:00:00"
    buyer = OTHER_BUYER if by == "a phone" else {**OTHER_BUYER, "delivery_phone": "-"}
    another = shop.place_order(articles=[("CAP-2", 3)], **buyer)
    shop.edit(number, **{**shop.orders[another], "order_id": known["order_id"], "stat_created": now})
    world.synced()
    assert world.held() == {("row", number): "number-reused"}
    (record,) = held.listed(world.engine, world.shop().key)
    assert all(one[:16] in record.message for one in (number, known["stat_created"], now))
    assert in_roapp(world, number) == before
    assert another in world.roapp_orders(world.shop()), "the others arrive"
    assert world.synced().calls.roapp_writes == 0
    dismiss(world.engine, world.shop().key, [number], because="entered by hand")
    shop.set_status(number, 2)
    world.synced()
    assert (world.held(), in_roapp(world, number)) == ({}, before)
    shop.edit(number, **known)
    world.synced()
    assert held.listed(world.engine, world.shop().key, dismissed=True) == []


@pytest.mark.parametrize("corrected", ["the buyer", "the date", "the buyer and the hour"])
def test_a_correction_of_buyer_or_date_makes_no_other_order(world: World, corrected: str) -> None:
    shop = world.box.shops[0]
    world.imported()
    number = shop.qualifying()[0]
    placed = datetime.fromisoformat(shop.orders[number]["stat_created"])
    later = timedelta(days=2) if corrected == "the date" else timedelta(hours=3 if "hour" in corrected else 0)
    shop.edit(number, stat_created=str(placed + later), **(OTHER_BUYER if "buyer" in corrected else {}))
    world.synced()
    assert world.held() == {}
    query = "SELECT created_at AT TIME ZONE 'Europe/Kyiv' FROM orders WHERE number = :number"
    assert world.value(query, number=number) == placed + later
    assert ("+380509998877" in world.roapp_order(number)["manager_notes"]) == ("buyer" in corrected)
