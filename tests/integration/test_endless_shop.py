"""Runs of a shop, or an RO App, whose lists go on for ever: each ends with one sentence, loses and doubles nothing, and
the shop goes on by itself when the other side is well again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from world import World

from cartum_roapp.apis.cartum import client
from cartum_roapp.errors import Retryable
from cartum_roapp.ledger import shops
from cartum_roapp.sync import fetch
from sandbox.box import Shop


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=6, delivered=1, older=0, settings={"list_rows": 400}) as world:
        yield world


@pytest.fixture
def box(world: World) -> Shop:
    return world.box.shops[0]


def state(world: World) -> shops.ShopState:
    return shops.state(world.engine, world.shop().key)


def last_run(world: World) -> tuple[str, str]:
    """How the last run ended, and what it says of that."""
    with world.engine.connect() as connection:
        query = "SELECT state, error FROM runs ORDER BY started_at DESC LIMIT 1"
        row = connection.exec_driver_sql(query).one()
    return row.state, row.error


def is_at_rest(world: World) -> bool:
    """Nobody reads the shop, and nobody delivers."""
    ours = "(SELECT oid FROM pg_database WHERE datname = current_database())"
    return world.value(f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = {ours}") == 0


def well_again(world: World, box: Shop, **settings: Any) -> None:
    box.faults.switch(endless=(), expression_ignored=False)
    world.box.roapp.faults.switch(endless=())
    world.settings = world.settings.model_copy(update=settings)
    box.place_order()
    with world.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE outbox SET available_at = now()")  # a while later
    world.synced(rest=timedelta(minutes=1))
    assert world.differences(world.shop(), box.qualifying()) == []


def test_a_sync_of_an_endless_shop_ends_and_moves_nothing(world: World, box: Shop) -> None:
    world.imported()
    before = state(world)
    box.faults.switch(endless=("orders/get",))
    with pytest.raises(Retryable, match=r"shop-1: the shop's list orders/get does not end"):
        world.synced()
    assert last_run(world)[0] == "failed"
    assert "orders/get does not end: 5 pages brought 500 different rows" in last_run(world)[1]
    assert state(world).watermark == before.watermark
    assert state(world).paused_because is None
    assert is_at_rest(world)
    well_again(world, box)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the shop has is much, for these bounds."""
    monkeypatch.setattr(client, "HELD", 15)
    monkeypatch.setattr(fetch, "PART", 15)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("run", ["import", "sync", "backfill"])
def test_much_is_stored_part_by_part_and_a_shop_that_falls_silent_costs_only_the_rest(
    world: World, box: Shop, run: str
) -> None:
    """It falls silent in the second walk: the first one shows that the list ends, and stores nothing."""
    box.faults.switch(page_cap=20)
    before = None
    if run != "import":
        world.imported()
        before = state(world).watermark
    for _ in range(50):
        box.place_order(created=world.box.clock.now() - timedelta(days=1), status=4 if run == "backfill" else 1)
    start: dict[str, Callable[[], Any]] = {
        "import": world.imported,
        "sync": world.synced,
        "backfill": lambda: world.backfilled(since=world.box.clock.now().date() - timedelta(days=2)),
    }
    begun: list[str] = []

    def silent(method: str, path: str, phase: str) -> None:
        if path == "orders/get" and phase == "before":
            body = box.calls[-1].body
            begun.extend([body["from"]] if body["offset"] == 0 and "ids" not in body else [])
            if body["offset"] == 20 and begun.count(body["from"]) == 2:
                box.faults.fail("error", times=100, path="orders/get")

    stop = box.on_call(silent)
    with pytest.raises(Retryable, match="HTTP 500"):
        start[run]()
    stop()
    stored = world.value("SELECT count(*) FROM orders")
    assert 20 <= stored < 50, "what came is stored"
    assert state(world).watermark == before
    box.faults.calm()
    start[run]()
    assert world.value("SELECT count(*) FROM orders") >= 50
    assert world.held() == {} and is_at_rest(world)


def test_weeks_that_an_import_has_stored_stay_stored(world: World, box: Shop) -> None:
    """The shop turns endless in the midst of it."""
    weeks = 3

    def turn(method: str, path: str, phase: str) -> None:
        if path == "orders/get" and sum(call.path == path for call in box.calls) > weeks:
            box.faults.switch(endless=("orders/get",))

    stop = box.on_call(turn)
    with pytest.raises(Retryable, match="does not end"):
        world.imported()
    stop()
    found = state(world)
    assert found.window_from is not None and found.stored_until is not None
    assert found.stored_until >= found.window_from + timedelta(days=7)
    assert found.window_stored_at is None and is_at_rest(world)
    box.faults.switch(endless=())
    box.clear_calls()
    world.imported()
    asked = min(call.body["from"] for call in box.calls if call.path == "orders/get")
    assert asked[:10] >= f"{found.stored_until - timedelta(days=1):%Y-%m-%d}", "what was stored is not read again"
    assert world.differences(world.shop(), box.qualifying()) == []


def test_an_endless_catalogue_is_read_once_by_an_import_which_goes_on(world: World, box: Shop) -> None:
    box.faults.switch(endless=("catalog/export",), expression_ignored=True)
    world.imported()
    walks = [call for call in box.calls if call.path == "catalog/export" and call.body["offset"] == 0]
    assert sum("expr" not in call.body for call in walks) == 1
    assert len(world.roapp_orders(world.shop())) == len(box.qualifying())


@pytest.mark.parametrize("kind", ["orders", "products", "contacts"])
def test_an_endless_ro_app_ends_the_run_and_doubles_nothing(world: World, box: Shop, kind: str) -> None:
    roapp = world.box.roapp
    roapp.faults.switch(endless=(kind,))
    with pytest.raises(Retryable, match=r"RO App's list /\S+ does not end"):
        world.imported()
    assert last_run(world)[0] == "failed" and is_at_rest(world)
    assert state(world).paused_because is None and world.held() == {}
    well_again(world, box)


@pytest.mark.parametrize("function", ["orders/get", "catalog/export"])
def test_a_run_whose_time_is_up_ends_with_a_sentence_and_the_next_one_goes_on(
    world: World, box: Shop, function: str
) -> None:
    world.imported()
    world.a_day_later()
    before = state(world).watermark
    box.faults.switch(endless=(function,), expression_ignored=True)
    world.settings = world.settings.model_copy(update={"sync_seconds": 0.5, "list_rows": 10**8})
    with pytest.raises(Retryable, match=r"not done after 0\.5 s, with \d+ calls to the shop.*SYNC_SECONDS"):
        world.synced()
    assert last_run(world)[0] == "failed" and is_at_rest(world)
    assert state(world).watermark == before and state(world).paused_because is None
    well_again(world, box, sync_seconds=600.0)


def test_the_time_of_a_run_also_ends_what_it_delivers(world: World, box: Shop) -> None:
    world.imported()
    for _ in range(40):
        box.place_order()
    world.box.roapp.faults.switch(latency=0.05)
    world.settings = world.settings.model_copy(update={"sync_seconds": 1.5})
    with pytest.raises(Retryable, match=r"not done after 1\.5 s"):
        world.synced()
    assert is_at_rest(world) and world.held() == {}
    world.box.roapp.faults.switch(latency=0.0)
    well_again(world, box, sync_seconds=600.0)
