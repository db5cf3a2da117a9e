"""An order that is found again does not count as late in the shop's report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from world import World

from cartum_roapp.ledger import daily

KYIV = ZoneInfo("Europe/Kyiv")


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=1, delivered=0, older=0) as world:
        yield world


def lag(world: World, moment: datetime) -> float | None:
    figures = daily.figures(world.engine, world.shop().key, KYIV, datetime.now(KYIV).date())
    (found,) = [one.lag_p95 for one in figures if one.day == moment.astimezone(KYIV).date()]
    return found


def imported_ten_days_ago(world: World) -> None:
    with world.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE shops SET window_to = now() - interval '10 days', "
                                   "watermark = now() - interval '6 days'")  # fmt: skip


def test_an_order_that_is_found_again_is_not_late(world: World) -> None:
    world.imported()
    placed = datetime.now(UTC) - timedelta(days=5)
    imported_ten_days_ago(world)
    number = world.box.shops[0].place_order(created=placed)
    world.synced()
    with world.engine.begin() as connection:  # the sync of that day has brought it
        connection.exec_driver_sql("UPDATE order_matches SET bound_at = orders.created_at + interval '60 seconds' FROM "
                                   "orders WHERE (orders.shop, orders.number) = (order_matches.shop, "
                                   "order_matches.number)")  # fmt: skip
    assert lag(world, placed) == 60
    world.forget()
    world.imported()
    imported_ten_days_ago(world)
    world.synced()
    assert number in world.roapp_orders(world.shop())
    assert lag(world, placed) is None, "when it came is not known any more"
