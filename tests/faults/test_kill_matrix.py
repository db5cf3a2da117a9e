"""SIGKILL at every call and every commit of an import, one run per point, then the import again.

No sampling: the orders are chosen so that every kind of call occurs (contact, product, order, line, comment, status,
a contact and products that RO App has already), and each point of the import is a run of its own, in a process
forked from this one.
"""

from __future__ import annotations

import os
import secrets
import signal
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import pytest
from sqlalchemy import event
from world import World, admin

from cartum_roapp.ledger import database
from sandbox import Sandbox

ORDERS = 4
WORKERS = 4
SEED = 21
QUICK = {"http_timeout": 1.0, "unclear_wait": 0.2}


@dataclass(frozen=True)
class Point:
    """The n-th event of a kind: a call that RO App `received`, a call that it `applied` but did not answer yet, or
    a `commit` about to be made."""

    kind: str
    n: int

    def __str__(self) -> str:
        return f"{self.kind} {self.n}"


@pytest.fixture(scope="module")
def template(postgres: str) -> Iterator[str]:
    """A database with the ledger's tables, copied for each point."""
    name = f"matrix_{secrets.token_hex(4)}"
    admin(postgres, f"CREATE DATABASE {name}")
    engine = database.connect(f"{postgres.rpartition('/')[0]}/{name}")
    database.migrate(engine)
    engine.dispose()
    yield name
    admin(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.long
@pytest.mark.parametrize("kind", ["received", "applied", "commit"])
def test_a_kill_at_every_point_loses_and_doubles_nothing(postgres: str, template: str, kind: str) -> None:
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        shares = [pool.submit(_share, kind, first, postgres, template) for first in range(1, WORKERS + 1)]
        results = [share.result() for share in shares]
    tried = sum(result[0] for result in results)
    wrong = {point: found for result in results for point, found in result[1].items()}
    assert tried > 20, "the import has more points than that"
    assert wrong == {}, f"of {tried} points"


def _share(kind: str, first: int, postgres: str, template: str) -> tuple[int, dict[str, list[str]]]:
    """Every `WORKERS`-th point, from the `first` on: how many were tried, and what was wrong."""
    wrong: dict[str, list[str]] = {}
    for tried, n in enumerate(range(first, 100_000, WORKERS)):
        ended, found = _killed_at(Point(kind, n), postgres, template)
        if found:
            wrong[str(Point(kind, n))] = found
        if ended:
            return tried, wrong
    raise AssertionError("the import never ends")


def _killed_at(point: Point, postgres: str, template: str) -> tuple[bool, list[str]]:
    """(the import ended before its point came, what is wrong after it was run again)."""
    name = f"point_{secrets.token_hex(4)}"
    url = f"{postgres.rpartition('/')[0]}/{name}"
    admin(postgres, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        with Sandbox(orders=ORDERS, seed=SEED, rate_limit=0) as box:
            status = _forked(box, url, point)
            assert status in (0, signal.SIGKILL), f"the import failed by itself before {point}"
            world = World(box, url, **QUICK)
            again, idle = world.imported(), world.synced()
            found = world.differences(world.shop(), box.shops[0].qualifying())
            if again.counts.held or idle.counts.held:
                found.append(f"held: {world.held()}")
            if idle.calls.roapp_writes:
                found.append(f"{idle.calls.roapp_writes} writing calls when nothing changed")
            world.engine.dispose()
            return status == 0, found
    finally:
        admin(postgres, f"DROP DATABASE {name} WITH (FORCE)")


def _forked(box: Sandbox, url: str, point: Point) -> int:
    """Runs the import in a process of its own, which dies at the point; gives the signal that ended it, or 0."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            world = World(box, url, **QUICK)
            if point.kind == "commit":
                _die_at_commit(world, point.n)
            world.imported()
            code = 0
        except BaseException:  # noqa: BLE001 - a forked process must never return into pytest
            traceback.print_exc()
        finally:
            os._exit(code)
    stop = _kill_at_call(box, pid, point) if point.kind != "commit" else lambda: None
    try:
        _, status = os.waitpid(pid, 0)
    finally:
        stop()
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _kill_at_call(box: Sandbox, pid: int, point: Point) -> Callable[[], None]:
    phase = "before" if point.kind == "received" else "applied"
    left = point.n

    def listen(method: str, path: str, now: str) -> None:
        nonlocal left
        if now == phase:
            left -= 1
            if left == 0:
                os.kill(pid, signal.SIGKILL)

    return box.roapp.on_call(listen)


def _die_at_commit(world: World, n: int) -> None:
    left = n

    @event.listens_for(world.engine, "commit")
    def _(connection: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
