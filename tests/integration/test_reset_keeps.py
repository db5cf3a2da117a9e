"""What only the ledger has outlives a reset; a clock that was ahead once stops no sync."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest
from world import Row, World

from cartum_roapp.ledger import health
from flows.incremental_sync import sync_changes

DELIVERED = 3


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=4, delivered=0, older=0) as world:
        yield world


def _unknown_product() -> Row:
    return {"article": "NO-SUCH", "title": "Невідомий", "price": 10, "quantity": 1, "total_price": 10,
            "type": "product", "discount_marker": None}  # fmt: skip


def test_a_held_order_of_the_window_is_held_after_a_reset_too(world: World) -> None:
    box, shop = world.box.shops[0], world.shop(missing_products="hold")
    number = box.place_order(created=world.box.clock.now() - timedelta(days=5), products=[_unknown_product()])
    world.imported(shop)
    assert ("order", number) in world.held(shop)
    box.set_status(number, DELIVERED)
    world.synced(shop)
    assert ("order", number) in world.held(shop), "still the owner's to mend"
    world.reset(shop)
    world.imported(shop)
    world.synced(shop)
    report = world.reconciled(shop, repair=True)
    there = number in world.roapp_orders(shop)
    told = [one for one in report["findings"] if one["number"] == number]
    assert there or ("order", number) in world.held(shop) or told, "it is neither in RO App, nor held, nor told"


def test_a_waiting_order_of_the_window_comes_after_a_reset_too(world: World) -> None:
    box, shop = world.box.shops[0], world.shop()
    world.box.roapp.faults.fail("error", times=999, method="POST")
    with suppress(Exception):
        world.imported(shop)
    world.box.roapp.faults.calm()
    (number, *_) = sorted(set(box.qualifying()) - set(world.roapp_orders(shop)))
    box.set_status(number, DELIVERED)
    world.reset(shop)
    world.imported(shop)
    world.synced(shop)
    world.reconciled(shop, repair=True)
    assert number in world.roapp_orders(shop) or ("order", number) in world.held(shop)


def _ran_with_a_clock_ahead(world: World, by: timedelta) -> None:
    async def ahead() -> None:
        async with world.opened("incremental-sync", world.shop()) as run:
            run.started += by
            await sync_changes(run, timedelta(0))

    asyncio.run(ahead())


def test_a_clock_that_was_ahead_once_stops_no_later_sync(world: World) -> None:
    """A machine's clock was two days ahead for one sync, and was set right then."""
    world.imported()
    _ran_with_a_clock_ahead(world, timedelta(days=2))
    number = world.box.shops[0].place_order()
    run = world.synced()
    one = health.of_shop(world.engine, world.shop().key)
    assert one is not None
    assert number in world.roapp_orders(world.shop()), (
        f"a sync that completed read {run.counts.seen} orders with {run.calls.total} calls; "
        f"the shop is told to be {one.word!r}, its lag {one.lag}"
    )
