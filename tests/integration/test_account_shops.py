"""A long import holds the account's lock: it delivers for the account's other shops by the settings that they have
now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from world import World

from cartum_roapp.errors import BadConfig, Retryable
from cartum_roapp.ledger import shops
from cartum_roapp.shops import ShopConfig


@pytest.fixture
def world(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("cartum_roapp.delivery.account_shops.CURRENT_FOR", 0.05)
    settings: dict[str, Any] = {"http_timeout": 600.0}
    with World.of(database, orders=5, delivered=0, older=0, shops=2, settings=settings) as world:
        yield world


@asynccontextmanager
async def imported(world: World, *shops: ShopConfig) -> AsyncIterator[None]:
    """Inside, an import of the first of these shops delivers: RO App does not answer one of its calls."""
    faults = world.box.roapp.faults
    faults.fail("hang", method="POST", path="^/orders$", seconds=600)
    task = asyncio.create_task(world.import_(*shops))
    await happens(lambda: task.done() or not faults.plan)
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def happens(what: Callable[[], Any]) -> None:
    while not what():
        await asyncio.sleep(0.01)


async def settings_are_read(world: World) -> None:
    """Returns after a reading of the shops' settings that began later than this was called."""
    before = world.reads
    await happens(lambda: world.reads > before + 1)


def test_a_shop_that_is_connected_meanwhile_does_not_wait_for_the_imports_end(world: World) -> None:
    one, two = world.shop(0), world.shop(1)

    async def story() -> None:
        async with imported(world, one):
            await world.import_(two)
            assert len(world.roapp_orders(two)) == 5

    asyncio.run(story())
    assert world.differences(two, world.box.shops[1].qualifying(), 1) == []


def test_an_edited_shop_is_delivered_by_its_new_settings(world: World) -> None:
    one, two = world.shop(0), world.shop(1)
    other = sorted(world.box.roapp.locations)[1]
    edited = world.shop(1, location_id=other)
    world.imported(two, one)

    async def story() -> str:
        async with imported(world, one, two):
            world.stored[two.slug] = edited
            await settings_are_read(world)
            number = world.box.shops[1].place_order()
            await world.sync(edited)
            return number

    assert world.roapp_order(asyncio.run(story()), two)["branch_id"] == other


def test_a_refused_shops_run_ends_with_why_and_its_orders_come_in_when_it_is_corrected(world: World) -> None:
    """The import goes on, and delivers for the corrected shop."""
    one, wrong, two = world.shop(0), world.shop(1, location_id=1), world.shop(1)

    async def story() -> None:
        async with imported(world, one):
            with pytest.raises(BadConfig, match="branch_id") as refused:
                await world.import_(wrong)
            assert (refused.value.shop, refused.value.field) == (two.slug, "branch_id")
            await world.import_(two)
            assert len(world.roapp_orders(two)) == 5

    asyncio.run(story())
    assert world.differences(two, world.box.shops[1].qualifying(), 1) == []
    assert world.held(two) == {}


def test_settings_that_are_corrected_while_an_order_is_under_way_refuse_no_run(world: World) -> None:
    """The order's attempt under the former settings ends after the new ones are read."""
    roapp = world.box.roapp
    gone = sorted(roapp.employees)[-1]
    roapp.dismiss_employee(gone)
    one, two, wrong = world.shop(0), world.shop(1), world.shop(1, managers=(gone,))
    world.imported(two)

    def correct(method: str, path: str, phase: str) -> None:
        if world.stored[two.slug] != two and path.startswith("/contacts"):
            world.stored[two.slug] = two
            before = world.reads
            while world.reads < before + 2:
                time.sleep(0.01)

    async def story() -> str:
        async with imported(world, one, wrong):
            number = world.box.shops[1].place_order()
            stop = roapp.on_call(correct)
            await world.sync(wrong)
            stop()
            return number

    assert asyncio.run(story()) in world.roapp_orders(two)


@pytest.mark.parametrize("why", ["paused", "put off", "switched off", "moved", "no settings", "bad settings"])
def test_a_shop_that_is_left_out_stops_no_other(world: World, why: str) -> None:
    one, two = world.shop(0), world.shop(1)
    world.imported(two)
    number = world.box.shops[1].place_order()
    if why == "put off":
        world.box.roapp.faults.required_order_fields = ("ad_campaign_id",)
        for _ in range(3):
            world.box.shops[1].place_order()
        with pytest.raises(BadConfig):
            world.synced(two)
    else:
        world.box.roapp.faults.fail("error", times=999)
        with suppress(Retryable):
            world.synced(two)
    world.box.roapp.faults.calm()
    world.box.roapp.faults.required_order_fields = ()
    with world.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE outbox SET available_at = now()")
    if why == "paused":
        shops.pause(world.engine, two.key)
    if why == "switched off":
        world.stored[two.slug] = world.shop(1, enabled=False)
    if why == "moved":
        world.stored[two.slug] = world.shop(1, account="second")
    if why == "no settings":
        del world.stored[two.slug]
    if why == "bad settings":
        world.broken[two.slug] = BadConfig("timezone is not a time zone.", shop=two.slug, field="timezone")
    world.imported(one)
    assert world.differences(one, world.box.shops[0].qualifying()) == []
    assert number not in world.roapp_orders(two)


def test_a_persons_run_of_a_paused_shop_does_not_wait_for_the_imports_end(world: World) -> None:
    one, two = world.shop(0), world.shop(1)
    world.imported(two)
    shops.pause(world.engine, two.key)

    async def story() -> str:
        async with imported(world, one, two):
            number = world.box.shops[1].place_order()
            await world.sync(two)
            return number

    assert world.roapp_order(asyncio.run(story()), two)


def test_settings_that_nobody_gives_stop_no_delivery(world: World) -> None:
    """Those that are known stay: also those of another shop."""
    one, two = world.shop(0), world.shop(1)
    world.imported(two)

    async def story() -> str:
        async with imported(world, one, two):
            world.unreadable = True
            number = world.box.shops[1].place_order()
            await world.sync(two)
            return number

    assert world.roapp_order(asyncio.run(story()), two)
