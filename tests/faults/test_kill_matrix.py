"""SIGKILL at the calls and commits of an import, one run per point, then the import again.

The orders are chosen so that every kind of call occurs (contact, product, order, line, comment, status, a contact and
products that RO App has already), and each point is a run of its own, in a process forked from this one. A longer
import is killed at points drawn from the seed.
"""

from __future__ import annotations

import random
import signal
from decimal import Decimal
from itertools import count

import pytest
from kills import Point, killed, on_commit
from ledgers import empty_ledger
from points import Points, Struck
from reliability import Record
from sampling import Sample
from world import Row, World

from sandbox import Sandbox
from sandbox.box import Shop

QUICK = {"http_timeout": 1.0, "unclear_wait": 0.2}
SMALL: Row = {"orders": 4, "seed": 21}
#: Imports that are killed at every point.
IMPORTS: dict[str, Row] = {
    "every one of a small import": SMALL,
    "orders with coupons": {**SMALL, "seed": 23},
}
LONGER: Row = {"seed": 22}
#: In a whole run, and else.
RANDOM_POINTS, FEW_POINTS = 100, 12
ORDERS, FEW_ORDERS = 60, 25

#: What a point of each kind is called in the table.
KINDS = {
    "sent": "kill -9 before a writing call leaves",
    "received": "kill -9 before RO App applies a call",
    "applied": "kill -9 between RO App's writing and its answer",
    "commit": "kill -9 before a commit that writes",
}


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("imported", IMPORTS)
def test_a_kill_at_every_point_loses_and_doubles_nothing(
    points: Points, record: Record, kind: str, imported: str
) -> None:
    struck = points(killed_at_nth, kind, imported)
    assert struck.about > 15, "the import has more points than that"
    record("Kills", f"{KINDS[kind]}: {imported}", struck.toll, "the next run")


@pytest.mark.long
def test_kills_at_random_points_of_a_longer_import(
    points: Points, postgres: str, record: Record, sample: Sample
) -> None:
    chance = random.Random(sample.seed)
    longer = {**LONGER, "orders": sample.times(ORDERS, FEW_ORDERS)}
    last = _events(empty_ledger(postgres), longer)
    kinds = [chance.choice(list(KINDS)) for _ in range(sample.times(RANDOM_POINTS, FEW_POINTS))]
    drawn = [Point(kind, chance.randint(1, last[kind])) for kind in kinds]
    struck = points.each(killed_at, drawn, longer)
    assert struck.toll.tried >= 0.9 * len(drawn), "the import has fewer points than that"
    record(
        "Kills",
        f"kill -9 at {RANDOM_POINTS} random points of an import of {ORDERS} orders",
        struck.toll,
        "the next run",
    )


def _events(url: str, longer: Row) -> dict[str, int]:
    """How many events of each kind an import of the longer shop surely has: fewer than it had this time."""
    with Sandbox(**longer, rate_limit=0) as box:
        world = World(box, url, **QUICK)
        commits = count()
        on_commit(world.engine, lambda: next(commits) and None)
        world.imported()
        world.engine.dispose()
        calls = [call.method for call in box.roapp.calls]
        found = {"sent": len(calls) - calls.count("GET"), "commit": next(commits)}
        return {kind: 8 * found.get(kind, len(calls)) // 10 for kind in KINDS}


def killed_at_nth(url: str, n: int, kind: str, imported: str) -> Struck | None:
    return killed_at(url, Point(kind, n + 1), IMPORTS[imported])


def killed_at(url: str, point: Point, shop: Row) -> Struck | None:
    """What was wrong after the import was killed at the point and run again; None where it ended before the point."""
    with Sandbox(**shop, rate_limit=0) as box:
        if shop != SMALL:
            give_coupons(box.shops[0])
        world = World(box, url, **QUICK)
        status = killed(point, world, World.imported, [box.roapp])
        assert status in (0, signal.SIGKILL), f"the import failed by itself before {point}"
        again, idle = world.imported(), world.synced()
        toll = world.toll(world.shop(), box.shops[0].qualifying())
        if again.counts.held or idle.counts.held:
            toll.wrong.append(f"held: {world.held()}")
        if idle.calls.roapp_writes:
            toll.wrong.append(f"{idle.calls.roapp_writes} writing calls when nothing changed")
        world.engine.dispose()
        return Struck(toll) if status else None


def give_coupons(shop: Shop) -> None:
    """A seventh off each order; each first line has three units."""
    for number in shop.qualifying():
        row = shop.orders[number]
        row["products"][0].update(quantity=3, total_price=float(Decimal(str(row["products"][0]["price"])) * 3))
        gross = sum(Decimal(str(line["total_price"])) for line in row["products"])
        shop.edit(number, total_default=float(gross), total_sum=float((gross * 6 / 7).quantize(Decimal("0.01"))))
