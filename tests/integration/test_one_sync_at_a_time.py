"""Of a shop one sync is under way at a time, and it ends after a while, whatever waits: the next one goes on."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from world import World

from cartum_roapp.errors import NotNow, Retryable
from cartum_roapp.ledger import database as locks
from cartum_roapp.ledger import health
from cartum_roapp.sync import sentence
from cartum_roapp.sync.run import Run
from flows import reconcile
from flows.incremental_sync import sync_changes
from tasks.run import recorded

NONE: dict[str, Any] = {"orders": 0, "delivered": 0, "older": 0}


async def scheduled(world: World) -> None:
    """A sync that the schedule began."""
    run = world.run("incremental-sync", world.shop())
    run.scheduled = True
    async with recorded(run):
        await sync_changes(run)


def synced(world: World) -> dict[str, Any]:
    """The document of a sync."""

    async def sync() -> dict[str, Any]:
        async with world.opened("incremental-sync", world.shop()) as run:
            return await sync_changes(run)

    return asyncio.run(sync())


def test_a_scheduled_sync_of_a_shop_ends_at_once_beside_another_and_says_why(database: str) -> None:
    with World.of(database, **NONE) as world:
        world.imported()
        number = world.box.shops[0].place_order()

        async def both() -> None:
            with locks.locked(world.engine, f"reading:{world.shop().key}"):  # an import reads
                first = asyncio.create_task(world.sync(world.shop()))
                while not world.value("SELECT count(*) FROM runs WHERE kind = 'incremental-sync'"):
                    await asyncio.sleep(0.01)
                with pytest.raises(NotNow, match="Another sync of this shop is under way") as ended:
                    await scheduled(world)
                assert not first.done()
            await first
            counts = ended.value.result
            assert (counts["new"], counts["delivered"], counts["held"], counts["calls"]) == (0, 0, 0, 0)
            assert sentence.of_run(counts) == "Another sync of this shop is under way; this one had nothing to do"

        asyncio.run(both())
        assert number in world.roapp_orders(world.shop())
        states = world.value("SELECT array_agg(state ORDER BY started_at) FROM runs WHERE kind = 'incremental-sync'")
        assert states == ["completed", "skipped"]


@pytest.mark.parametrize("reads", [True, False], ids=["the shop is down", "it was read after the run was due"])
def test_what_was_read_before_is_delivered_without_reading_again(database: str, reads: bool) -> None:
    with World.of(database, **NONE) as world:
        world.imported()
        shop, roapp = world.box.shops[0], world.box.roapp
        number = shop.place_order()
        roapp.faults.fail("error", 999)
        with pytest.raises(Retryable):
            world.synced()
        roapp.faults.calm()
        shop.faults.fail("error", 999)
        run = world.run("incremental-sync", world.shop())
        run.due = None if reads else run.started - timedelta(minutes=5)

        async def sync() -> None:
            async with recorded(run):
                await sync_changes(run)

        with pytest.raises(Retryable, match="HTTP 500") if reads else nullcontext():
            asyncio.run(sync())
        assert number in world.roapp_orders(world.shop())
        counts = world.value("SELECT counts FROM runs WHERE id = :id", id=run.id)
        assert (counts["delivered"], counts["seen"]) == (1, 0)


def test_a_sync_that_a_person_began_waits_for_another_and_takes_over_what_came_meanwhile(database: str) -> None:
    with World.of(database, **NONE) as world:
        world.imported()

        async def both() -> tuple[str, Run]:
            with locks.locked(world.engine, f"syncing:{world.shop().key}"):  # another sync, which has read already
                number = world.box.shops[0].place_order()
                typed = asyncio.create_task(world.sync(world.shop()))
                while not world.value("SELECT count(*) FROM runs WHERE kind = 'incremental-sync'"):
                    await asyncio.sleep(0.01)
                await asyncio.sleep(2 * locks.LOOKS)
                assert not typed.done()
            return number, await typed

        number, run = asyncio.run(both())
        assert (run.counts.new, run.counts.delivered) == (1, 1)
        assert number in world.roapp_orders(world.shop())


def test_a_sync_does_not_wait_for_ever_for_another_reader_and_is_no_success(database: str) -> None:
    with World.of(database, **NONE, settings={"sync_time": 0.0}) as world:
        world.imported()
        seen = health.of_shop(world.engine, world.shop().key)
        with (
            locks.locked(world.engine, f"reading:{world.shop().key}"),
            pytest.raises(NotNow, match="Another run reads"),
        ):
            world.synced()
        after = health.of_shop(world.engine, world.shop().key)
        assert seen is not None and after is not None
        assert after.last_success == seen.last_success
        world.box.shops[0].place_order()
        world.synced()


def test_a_sync_has_its_turn_while_a_long_reconciliation_reads_the_shop(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "TURN", 0.0)
    with World.of(database, orders=6, delivered=0, older=0) as world:
        world.imported()
        shop = world.box.shops[0]
        shop.faults.latency = 0.1

        async def both() -> None:
            night = asyncio.create_task(world.reconcile(world.shop(), repair=True))
            while not any(call.path == "orders/get" for call in shop.calls):
                await asyncio.sleep(0.01)
            number = shop.place_order()
            await scheduled(world)
            assert number in world.roapp_orders(world.shop())
            assert not night.done()
            shop.faults.latency = 0.0
            monkeypatch.setattr(locks, "LOOKS", 0.02)
            assert (await night)["findings"] == []

        shop.clear_calls()
        asyncio.run(both())
        assert world.differences(world.shop(), shop.qualifying()) == []


def test_what_a_sync_has_no_time_to_deliver_follows_with_the_next_one(database: str) -> None:
    """RO App does not answer for one order, and what it may have made may arrive for an hour: nobody waits for that."""
    with World.of(database, **NONE, settings={"unclear_wait": 3600.0}) as world:
        world.imported()
        shop, roapp = world.box.shops[0], world.box.roapp
        roapp.faults.fail("drop", 1, method="POST", path="^/orders$")
        numbers = [shop.place_order(articles=[("KR-799", 1)], delivery_phone=f"+38067111223{n}") for n in range(3)]
        counts = synced(world)
        assert counts["new"] == counts["delivered"] + counts["follow"] == 3
        assert counts["follow"] and sentence.of_run(counts).endswith(f", {counts['follow']} follow")
        assert len(world.roapp_orders(world.shop())) == counts["delivered"]

        with world.engine.begin() as connection:  # later
            connection.exec_driver_sql("UPDATE creations SET not_before = now()")
            connection.exec_driver_sql("UPDATE outbox SET available_at = now()")
        assert "follow" not in synced(world)
        assert world.differences(world.shop(), numbers) == []
