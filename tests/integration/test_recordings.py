"""Shops as `cartum-roapp record` has them: each file of tests/recordings is a shop whose orders are imported."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest
from world import World

from sandbox.recorded import take_over

RECORDINGS = sorted((Path(__file__).parents[1] / "recordings").glob("*.jsonl"))


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_the_orders_of_a_recorded_shop_arrive(recording: Path, database: str) -> None:
    with World.of(database, orders=0) as world:
        box = world.box.shops[0]
        take_over(box, recording)
        shop = world.shop(statuses=dict.fromkeys(box.statuses, max(world.box.roapp.statuses)))
        asyncio.run(world.import_(shop))
        asyncio.run(world.sync(shop))
        there = world.roapp_orders(shop)
        assert world.held(shop) == {}
        assert {number: len(orders) for number, orders in there.items()} == dict.fromkeys(box.qualifying(), 1)
        for number, (order,) in there.items():
            assert Decimal(order["total"]) == Decimal(str(box.orders[number]["total_sum"])), number
            assert world.box.roapp.items[order["id"]], number
