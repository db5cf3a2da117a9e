"""What is held is one number, wherever it is told: also where a run fails, is canceled, or sends nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from world import World

from cartum_roapp.errors import BadConfig, Retryable
from cartum_roapp.ledger import held, runs


@pytest.fixture
def world(database: str) -> Iterator[World]:
    """Two orders are held."""
    with World.of(database, orders=0, delivered=0, older=0) as world:
        world.imported()
        for _ in range(2):
            world.box.shops[0].place_order(articles=[("KR-799", 1)], currency="EUR")
        world.synced()
        assert held.count(world.engine, world.shop().key) == 2
        yield world


@pytest.mark.parametrize(
    ("end", "state"), [(Retryable("no answer"), "failed"), (asyncio.CancelledError(), "canceled")], ids=str
)
def test_a_run_that_does_not_end_well_counts_it(world: World, end: BaseException, state: str) -> None:
    async def broken() -> None:
        async with world.opened("incremental-sync", world.shop()):
            raise end

    with pytest.raises(type(end)):
        asyncio.run(broken())
    (last,) = [one for one in runs.last(world.engine, world.shop().key) if one.kind == "incremental-sync"]
    assert (last.state, last.counts["held"]) == (state, 2)


def test_a_run_that_breaks_off_counts_what_it_delivered(world: World) -> None:
    for _ in range(12):
        world.box.shops[0].place_order(articles=[("KR-799", 1)])
    world.box.roapp.faults.fail("unauthorized", 999, method="POST", path="^/orders$", skip=8)
    world.box.roapp.faults.fail("unauthorized", 999, method="GET", path="^/company$", skip=1)
    with pytest.raises(BadConfig):
        world.synced()
    last = max(runs.last(world.engine, world.shop().key), key=lambda one: one.started_at)
    delivered = world.value("SELECT count(*) FROM outbox WHERE delivered_version = wanted_version")
    assert (last.state, last.counts["new"], last.counts["delivered"]) == ("failed", 12, delivered)
    assert delivered > 0


def test_a_dry_run_counts_it_apart_from_what_it_would_hold(world: World) -> None:
    number = world.box.shops[0].place_order(articles=[("KR-799", 1)])
    bad = world.box.shops[0].place_order(total_sum="not a sum")
    document = world.backfilled(numbers=[number, bad], dry_run=True)
    assert (document["held"], document["actions"]["held"], len(document["would_hold"])) == (2, 1, 1)
    assert document["held_in_part"] == 0
