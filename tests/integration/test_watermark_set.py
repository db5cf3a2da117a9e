"""A watermark that a person sets back is read from; one that would lose orders is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from world import World

from cartum_roapp.errors import BadConfig, NotReady
from cartum_roapp.ledger import database, setting_back, shops
from cartum_roapp.ledger.shops import ShopState

pytestmark = pytest.mark.drawn(2)

ZONE = "Europe/Kyiv"


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=2, delivered=0, older=0) as world:
        yield world


def state(world: World) -> ShopState:
    return shops.state(world.engine, world.shop().key)


def set_back(world: World, typed: str) -> datetime:
    return setting_back.set_back(world.engine, state(world), typed, ZONE)


def connected_long_ago(world: World) -> datetime:
    """A shop that was imported ten days ago and synced since; gives its watermark."""
    world.imported()
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE shops SET window_to = window_to - interval '10 days'"))
    found = state(world).watermark
    assert found is not None
    return found


def test_the_next_sync_reads_what_was_placed_since(world: World) -> None:
    watermark = connected_long_ago(world)
    placed = datetime.now(UTC) - timedelta(days=5)
    number = world.box.shops[0].place_order(
        articles=[("KR-799", 1)], stat_status=3, stat_created=f"{placed.astimezone(ZoneInfo(ZONE)):%Y-%m-%d %H:%M:%S}"
    )
    world.synced()
    assert number not in world.roapp_orders(world.shop()), "Delivered, and older than the watermark"
    wanted = (watermark - timedelta(days=6)).astimezone(ZoneInfo(ZONE))
    assert set_back(world, f"{wanted:%Y-%m-%d %H:%M:%S}") == wanted.replace(microsecond=0)
    world.synced()
    assert len(world.roapp_orders(world.shop())[number]) == 1
    after = state(world).watermark
    assert after is not None and after > watermark


def test_a_time_with_an_offset_is_taken_as_it_is(world: World) -> None:
    watermark = connected_long_ago(world)
    wanted = (watermark - timedelta(days=1)).replace(microsecond=0)
    assert set_back(world, f"{wanted:%Y-%m-%dT%H:%M:%SZ}") == wanted


@pytest.mark.parametrize(
    ("shift", "says", "fix"),
    [
        (timedelta(minutes=1), "orders placed between would be lost", "cartum-roapp sync shop-1"),
        (-timedelta(days=11), "before the end of the first import's window", "cartum-roapp import shop-1"),
    ],
)
def test_what_would_lose_orders_or_take_those_of_the_window_is_refused(
    world: World, shift: timedelta, says: str, fix: str
) -> None:
    watermark = connected_long_ago(world)
    with pytest.raises(BadConfig, match=says) as refused:
        set_back(world, (watermark + shift).isoformat())
    assert refused.value.field == "time"
    assert fix in str(refused.value.fix)
    assert state(world).watermark == watermark


@pytest.mark.parametrize("typed", ["yesterday", "2026-13-01", "", "0001-01-01", "9999-12-31T23:59:59-12:00"])
def test_what_is_no_time_is_refused(world: World, typed: str) -> None:
    world.imported()
    with pytest.raises(BadConfig, match="is no time") as refused:
        set_back(world, typed)
    assert refused.value.field == "time"


def test_there_is_none_before_the_first_import(world: World) -> None:
    world.run("initial-import", world.shop())
    with pytest.raises(NotReady, match="import"):
        set_back(world, "2026-01-01")


def test_a_sync_that_is_reading_does_not_undo_it(world: World) -> None:
    watermark = connected_long_ago(world)
    wanted = watermark - timedelta(days=1)
    with ThreadPoolExecutor() as pool:
        with database.locked(world.engine, f"reading:{world.shop().key}"):  # a sync reads
            waits = pool.submit(set_back, world, wanted.isoformat())
            with pytest.raises(TimeoutError):
                waits.result(timeout=0.5)
            with world.engine.begin() as connection:
                shops.move_watermark(connection, world.shop().key, datetime.now(UTC))
        assert waits.result(timeout=30) == wanted
    assert state(world).watermark == wanted
    asyncio.run(world.sync(world.shop()))
