"""RO App or a shop does not answer for two hours, while syncs begin every five minutes and orders come in."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta

import pytest
from reliability import Record
from sampling import Sample
from world import FORESEEN, World

pytestmark = pytest.mark.long

EVERY = timedelta(minutes=5)
LASTS = timedelta(hours=2)
#: An account that does not answer is tried again after a quarter of an hour at the latest.
CARRIED_WITHIN = timedelta(minutes=20)


@pytest.mark.parametrize("side", ["RO App", "the shop"])
def test_two_hours(database: str, sample: Sample, record: Record, side: str) -> None:
    chance = random.Random(sample.seed)
    with World.of(database, orders=8, delivered=1, older=0) as world:
        world.imported()
        faults = world.box.roapp.faults if side == "RO App" else world.box.shops[0].faults
        faults.fail("drop", 10**6)
        for _ in range(LASTS // EVERY):
            _edit(world, chance)
            _sync(world)
        assert world.toll(world.shop(), world.box.shops[0].qualifying()).lost
        faults.calm()
        for _ in range(CARRIED_WITHIN // EVERY):
            _sync(world)
        toll = world.toll(world.shop(), world.box.shops[0].qualifying())
        toll.wrong += [f"held: {what} {code}" for what, code in world.held().items()]
    record("On the wire", f"{side} does not answer for two hours", toll, "by itself, within 20 minutes")


def _sync(world: World) -> None:
    with suppress(*FORESEEN):
        world.synced()
    world.later(EVERY)


def _edit(world: World, chance: random.Random) -> None:
    shop = world.box.shops[0]
    shop.place_order()
    shop.change_line(chance.choice(shop.qualifying()), quantity=chance.randint(2, 9))
    shop.set_status(chance.choice(shop.qualifying()), chance.choice([1, 2, 6, 7]))
