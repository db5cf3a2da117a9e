"""What a backfill happens to read first waits as if it had not: fresh orders, changes and the import overtake it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from world import Row, World

from cartum_roapp.ledger import backfills

NOW = datetime.now(UTC)
DELIVERED = 3


@pytest.fixture
def world(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("cartum_roapp.ledger.database.LOOKS", 0.02)
    with World.of(database, orders=1, delivered=0, older=0) as world:
        world.imported()
        yield world


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def broken_off(world: World, **named: Any) -> backfills.Backfill:
    """A backfill that broke off after everything was stored: RO App answers nothing."""
    world.box.roapp.faults.fail("error", times=999)
    with suppress(Exception):
        world.backfilled(**named)
    world.box.roapp.faults.calm()
    with world.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE outbox SET available_at = now()")
    return backfills.listed(world.engine)[0]


def made(world: World) -> list[str]:
    """The shop's orders in the order in which RO App made them."""
    found = world.roapp_orders(world.shop())
    return sorted(found, key=lambda number: found[number][0]["id"])


def test_a_fresh_order_overtakes_a_backfill_that_read_it_first(world: World) -> None:
    shop = world.box.shops[0]
    old = [shop.place_order(created=ago(70 + n), status=DELIVERED) for n in range(12)]
    fresh = shop.place_order()  # placed right before the backfill begins; no sync has seen it
    broken_off(world, since=ago(100).date())
    run = world.synced()  # the sync reads it, and ends well
    assert run.counts.seen >= 1
    assert fresh in made(world), "a sync that succeeded has read it: it is in RO App, or held"
    assert world.held() == {} and set(old)


def test_it_is_not_delivered_after_all_the_old_ones(world: World) -> None:
    shop = world.box.shops[0]
    old = [shop.place_order(created=ago(70 + n), status=DELIVERED) for n in range(24)]
    fresh = shop.place_order()
    broken_off(world, since=ago(100).date())
    world.synced(rest=timedelta(minutes=1))
    order = made(world)
    assert order.index(fresh) < 12, f"it is number {order.index(fresh)} of {len(order)} ({len(old)} old ones)"


def test_a_change_reaches_ro_app_with_the_next_sync_although_a_backfill_read_it_first(world: World) -> None:
    shop = world.box.shops[0]
    (number,) = shop.qualifying()
    for n in range(12):
        shop.place_order(created=ago(70 + n), status=DELIVERED)
    shop.set_waybill(number, "20450000000001")
    broken_off(world, since=ago(100).date())
    world.synced()
    assert "20450000000001" in world.roapp_order(number)["manager_notes"]


def _unknown_product() -> Row:
    return {"article": "NO-SUCH", "title": "Невідомий", "price": 10, "quantity": 1, "total_price": 10,
            "type": "product", "discount_marker": None}  # fmt: skip


def test_a_held_order_that_a_backfill_brought_survives_another_ones_cancel(world: World) -> None:
    shop = world.shop(missing_products="hold")
    number = world.box.shops[0].place_order(created=ago(70), status=DELIVERED, products=[_unknown_product()])
    first = world.backfilled(shop, numbers=[number])
    assert (first["state"], world.held(shop)) == ("done", {("order", number): "product-missing"})
    world.box.shops[0].place_order(created=ago(71), status=DELIVERED)
    second = broken_off(world, shop=shop, since=ago(80).date(), until=ago(60).date())
    backfills.cancel(world.engine, second.id)
    assert world.held(shop) == {("order", number): "product-missing"}, "the first one wants it still"


@pytest.fixture
def before_import(database: str) -> Iterator[World]:
    with World.of(database, orders=6, delivered=0, older=0) as world:
        yield world


def test_an_import_delivers_what_a_broken_off_backfill_read_before(before_import: World) -> None:
    world = before_import
    broken_off(world, since=ago(61).date())
    run = world.imported()
    assert run.state.window_stored_at is not None
    assert sorted(made(world)) == sorted(world.box.shops[0].qualifying()), "the import ended well"


def test_a_canceled_backfill_takes_out_nothing_that_the_import_wants(before_import: World) -> None:
    world, shop = before_import, before_import.box.shops[0]
    for number in list(shop.orders):
        shop.set_status(number, 4)  # canceled orders are part of an import
    one = broken_off(world, since=ago(61).date())
    world.box.roapp.faults.fail("error", times=999)
    with suppress(Exception):
        world.imported()  # it stores the window
    world.box.roapp.faults.calm()
    backfills.cancel(world.engine, one.id)
    with world.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE outbox SET available_at = now()")
    world.synced(rest=timedelta(minutes=1))
    assert sorted(made(world)) == sorted(shop.qualifying())
