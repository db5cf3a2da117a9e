"""A clock that was ahead once stops no sync."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from world import World

from cartum_roapp.ledger import health
from flows.incremental_sync import sync_changes


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=4, delivered=0, older=0) as world:
        yield world


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
