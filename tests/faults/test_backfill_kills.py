"""SIGKILL in a backfill: the same selection goes on where it stopped."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta

import pytest
from kills import Point, killed
from ledgers import empty_ledger
from world import World

from cartum_roapp.ledger import backfills

NOW = datetime.now(UTC)
SINCE = (NOW - timedelta(days=100)).date()
POINTS = [Point("commit", n) for n in (3, 5, 8, 12, 20)] + [Point("sent", 4), Point("applied", 40)]


@pytest.mark.long
@pytest.mark.parametrize("point", POINTS, ids=str)
def test_a_killed_backfill_goes_on_and_brings_each_order_once(postgres: str, point: Point) -> None:
    with World.of(empty_ledger(postgres), orders=0, delivered=0, older=0, settings={"unclear_wait": 0.2}) as world:
        world.imported()
        shop = world.box.shops[0]
        numbers = [shop.place_order(created=NOW - timedelta(days=days), status=3) for days in (65, 72, 79, 80, 95)]
        world.engine.dispose()
        status = killed(point, world, lambda own: own.backfilled(since=SINCE), [world.box.roapp])
        assert status == signal.SIGKILL
        begun = backfills.listed(world.engine, world.shop().key)
        result = world.backfilled(since=SINCE)
        assert result["went_on"] == bool(begun)
        assert {one.state for one in backfills.listed(world.engine)} == {"done"}
        assert world.differences(world.shop(), numbers) == [] and world.held() == {}
        assert world.backfilled(since=SINCE)["calls_by_kind"]["roapp_writes"] == 0
