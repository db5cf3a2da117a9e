"""A user of the shop who may see no orders any more has not deleted them, however many orders no sync asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from world import World

from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import backfills

NOW = datetime.now(UTC)


@pytest.fixture
def world(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Six orders of 36 that are missing are few enough to be believed."""
    monkeypatch.setattr("cartum_roapp.ledger.missing_orders.LOST_RIGHTS_SHARE", 0.2)
    with World.of(database, orders=0, delivered=0, older=0) as world:
        yield world


def blind(world: World) -> None:
    """The shop's user may see no order any more."""
    shop = world.box.shops[0]
    for number in list(shop.orders):
        shop.delete_order(number)


def deleted(world: World) -> int:
    return int(world.value("SELECT count(*) FROM orders WHERE gone_at IS NOT NULL"))


def two_syncs(world: World) -> None:
    for _ in range(2):
        with suppress(BadConfig):
            world.synced()


def test_where_orders_stayed_open_long_ago(world: World) -> None:
    """Orders that nobody ever closed, from before the trailing window of 60 days, and six of this week."""
    shop = world.box.shops[0]
    old = [shop.place_order(articles=[("CAP-2", 1)], created=NOW - timedelta(days=20)) for _ in range(30)]
    new = [shop.place_order(articles=[("CAP-2", 1)], created=NOW - timedelta(days=2, hours=n)) for n in range(6)]
    world.imported()
    with world.engine.begin() as connection:  # three months later
        values = {"old": old}
        connection.execute(text("UPDATE orders SET created_at = created_at - interval '90 days' "
                                "WHERE number = ANY(:old)"), values)  # fmt: skip
    blind(world)
    two_syncs(world)
    notes = [world.roapp_order(number)["manager_notes"] for number in new]
    assert deleted(world) == 0, f"all six that the runs asked for are taken for deleted: {notes[0]!r}"


def test_where_a_backfill_was_canceled(world: World) -> None:
    """Old orders that a canceled backfill had stored: no sync asks for them, and they are not wanted."""
    shop = world.box.shops[0]
    for n in range(6):
        shop.place_order(articles=[("CAP-2", 1)], created=NOW - timedelta(days=2, hours=n))
    world.imported()
    for _ in range(30):
        shop.place_order(articles=[("CAP-2", 1)], created=NOW - timedelta(days=100))
    world.box.roapp.faults.fail("error", times=999)
    with suppress(Exception):
        world.backfilled(since=(NOW - timedelta(days=101)).date(), until=(NOW - timedelta(days=99)).date())
    world.box.roapp.faults.calm()
    (one,) = backfills.listed(world.engine)
    assert backfills.cancel(world.engine, one.id) == 30
    blind(world)
    two_syncs(world)
    assert deleted(world) == 0, "all orders of the shop are taken for deleted"


def test_without_them_it_is_seen(world: World) -> None:
    shop = world.box.shops[0]
    for n in range(6):
        shop.place_order(articles=[("CAP-2", 1)], created=NOW - timedelta(days=2, hours=n))
    world.imported()
    blind(world)
    with pytest.raises(BadConfig, match="lost rights"):
        world.synced()
    assert deleted(world) == 0
