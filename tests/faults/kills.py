"""SIGKILL at a chosen point of a run, in a process forked from this one."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass

from forked import Forked
from sqlalchemy import Engine, event
from world import World

from sandbox.box import Account, Shop


@dataclass(frozen=True)
class Point:
    """The n-th event of a kind: a call that a side `received`, a call that it `applied` but did not answer yet, a
    `commit` about to be made, or one that PostgreSQL has `committed`."""

    kind: str
    n: int

    def __str__(self) -> str:
        return f"{self.kind} {self.n}"


def killed(point: Point, world: World, work: Callable[[World], object], sides: Iterable[Shop | Account]) -> int:
    """Does the work in a process of its own, which dies at the point, a call to one of the `sides` or a commit; gives
    the signal that ended it, 0 where the work ended first, 1 where it failed by itself."""
    process = Forked(lambda: work(_dying(world, point)))
    with ExitStack() as stack:
        if point.kind in ("received", "applied"):
            phase = "before" if point.kind == "received" else "applied"
            last = _Countdown(point.n, process.pid)
            for side in sides:
                stack.callback(side.on_call(lambda method, path, now: last.tick() if now == phase else None))
        return abs(process.ended())


def _dying(world: World, point: Point) -> World:
    """The same world with connections of its own."""
    own = World(world.box, world.url)
    own.settings = world.settings
    if point.kind == "commit":
        _die_before_commit(own.engine, point.n)
    elif point.kind == "committed":
        _die_after_commit(own.engine, point.n)
    return own


def _die_before_commit(engine: Engine, n: int) -> None:
    last = _Countdown(n, os.getpid())
    event.listen(engine, "commit", lambda connection: last.tick())


def _die_after_commit(engine: Engine, n: int) -> None:
    last = _Countdown(n, os.getpid())
    commit = engine.dialect.do_commit

    def do_commit(connection: object) -> None:
        commit(connection)  # type: ignore[arg-type]
        last.tick()

    engine.dialect.do_commit = do_commit  # type: ignore[method-assign]


@dataclass
class _Countdown:
    """Kills the process at the n-th tick."""

    left: int
    pid: int

    def tick(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(self.pid, signal.SIGKILL)
