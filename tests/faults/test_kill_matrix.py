"""SIGKILL at every call and every commit of an import, one run per point, then the import again.

The matrix takes no samples: its orders are chosen so that every kind of call occurs (contact, product, order, line,
comment, status, a contact and products that RO App has already), and each point is a run of its own, in a process
forked from this one. A longer import is killed at points drawn from a seed, which `--seed` replays.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from kills import Point, killed
from points import Server
from reliability import Record
from sqlalchemy import event
from world import Toll, World

from sandbox import Sandbox

WORKERS = 2
QUICK = {"http_timeout": 1.0, "unclear_wait": 0.2}
SMALL = {"orders": 4, "seed": 21}
LONGER = {"orders": 60, "seed": 22}
RANDOM_POINTS = 100

#: What a point of each kind is called in the table.
KINDS = {
    "received": "kill -9 before RO App applies a call",
    "applied": "kill -9 between RO App's writing and its answer",
    "commit": "kill -9 before a commit",
    "committed": "kill -9 right after a commit",
}


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_at_every_point_loses_and_doubles_nothing(server: Server, record: Record, kind: str) -> None:
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        shares = [pool.submit(_every, kind, first, server) for first in range(1, WORKERS + 1)]
        toll = _summed([share.result() for share in shares])
    assert toll.tried > 20, "the import has more points than that"
    record("Kills", f"{KINDS[kind]}: every one of a small import", toll, "the next run")


@pytest.mark.long
def test_kills_at_random_points_of_a_longer_import(server: Server, record: Record, seed: int) -> None:
    chance = random.Random(seed)
    calls, commits = _events(server)
    last = {"received": calls, "applied": calls, "commit": commits, "committed": commits}
    points = [Point(kind := chance.choice(list(KINDS)), chance.randint(1, last[kind])) for _ in range(RANDOM_POINTS)]
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        shares = [pool.submit(_these, points[first::WORKERS], server) for first in range(WORKERS)]
        toll = _summed([share.result() for share in shares])
    assert toll.tried >= 0.9 * RANDOM_POINTS, "the import has fewer points than that"
    record("Kills", f"kill -9 at {RANDOM_POINTS} random points of an import of 60 orders", toll, "the next run")


def _every(kind: str, first: int, server: Server) -> Toll:
    """Every `WORKERS`-th point from the `first` on, until the import ends before its point."""
    toll = Toll()
    for n in range(first, 100_000, WORKERS):
        ended, found = _killed_at(Point(kind, n), server, SMALL)
        toll += found
        if ended:
            toll.tried -= 1  # nothing was killed
            return toll
    raise AssertionError("the import never ends")


def _these(points: Sequence[Point], server: Server) -> Toll:
    total = Toll()
    for point in points:
        ended, toll = _killed_at(point, server, LONGER)
        total += toll
        total.tried -= ended  # nothing was killed
    return total


def _events(server: Server) -> tuple[int, int]:
    """How many (calls, commits) an import of the longer shop surely has: fewer than it had this time."""
    with server.ledger() as url, Sandbox(**LONGER, rate_limit=0) as box:
        world = World(box, url, **QUICK)
        commits: list[object] = []
        event.listen(world.engine, "commit", commits.append)
        world.imported()
        world.engine.dispose()
        return 8 * len(box.roapp.calls) // 10, 8 * len(commits) // 10


def _summed(tolls: Sequence[Toll]) -> Toll:
    total = Toll()
    for toll in tolls:
        total += toll
    return total


def _killed_at(point: Point, server: Server, shop: dict[str, int]) -> tuple[bool, Toll]:
    """(the import ended before its point came, what was wrong after it was run again)."""
    with server.ledger() as url, Sandbox(**shop, rate_limit=0) as box:
        world = World(box, url, **QUICK)
        status = killed(point, world, World.imported, [box.roapp])
        assert status in (0, signal.SIGKILL), f"the import failed by itself before {point}"
        again, idle = world.imported(), world.synced()
        toll = world.toll(world.shop(), box.shops[0].qualifying())
        if again.counts.held or idle.counts.held:
            toll.wrong.append(f"held: {world.held()}")
        if idle.calls.roapp_writes:
            toll.wrong.append(f"{idle.calls.roapp_writes} writing calls when nothing changed")
        toll.wrong[:] = [f"{point}: {what}" for what in toll.wrong]
        world.engine.dispose()
        return status == 0, toll
