"""Orders of a shop arrive in RO App: once, complete, and with every change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from world import World

from sandbox import Sandbox


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with Sandbox(orders=20, seed=11, rate_limit=0) as box:
        yield World(box, database)


def test_an_import_brings_every_qualifying_order_once(world: World) -> None:
    run = world.imported()
    taken = world.box.shops[0].qualifying()
    assert run.counts.delivered == len(taken) == 20
    assert world.differences(world.shop(), taken) == []
