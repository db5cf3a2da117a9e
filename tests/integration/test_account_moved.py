"""A shop whose block was given another account by hand is refused in a sentence."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from world import World

from cartum_roapp.errors import IntegrationError
from cartum_roapp.shops import ShopConfig, ShopSettings


def test_a_sync_of_a_shop_that_was_moved_by_hand_ends(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with World.of(database, orders=3, delivered=0, older=0) as world:
        world.imported()
        world.box.shops[0].place_order()
        world.box.roapp.faults.fail("error", times=999)
        with suppress(Exception):
            world.synced()  # the order waits
        world.box.roapp.faults.calm()
        with world.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE outbox SET available_at = now()")
        found = world.found

        def moved(shop: ShopConfig) -> ShopSettings:
            settings = found(shop)
            return settings.model_copy(update={"account": settings.account.model_copy(update={"name": "second"})})

        monkeypatch.setattr(world, "found", moved)

        async def within(seconds: float) -> None:
            with suppress(IntegrationError):  # a sentence that says what is wrong would do
                await asyncio.wait_for(world.sync(world.shop(account="second")), seconds)

        asyncio.run(within(30))
