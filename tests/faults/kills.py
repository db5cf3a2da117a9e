"""SIGKILL at a chosen point of a run, in a process forked from this one.

What is stored, here and in RO App, changes when a commit writes and when a call is applied; between two such moments
all kills leave the same. So a commit that wrote nothing is no point, and of the moments after a commit only that one is
at which a call is the next: after any other commit all is as it is before the one that follows.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
from forked import Forked
from sqlalchemy import Connection, Engine, event
from world import World

from sandbox.box import Account, Shop


@dataclass(frozen=True)
class Point:
    """The n-th event of a kind: a writing call to RO App that is about to be `sent`, a call that a side `received`, one
    that it `applied` but did not answer yet, or a `commit` that writes, about to be made."""

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
    last = _Countdown(point.n, os.getpid())
    if point.kind == "commit":
        on_commit(own.engine, last.tick)
    elif point.kind == "sent":
        _before_sending(own.box.roapp.base_url, last.tick)
    return own


def on_commit(engine: Engine, act: Callable[[], None]) -> None:
    """Acts right before each commit of a transaction that has written something."""

    @event.listens_for(engine, "commit")
    def _(connection: Connection) -> None:
        with connection.connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id_if_assigned()")
            ((written_by,),) = cursor.fetchall()
        if written_by is not None:
            act()


def _before_sending(address: str, act: Callable[[], None]) -> None:
    """Acts in this process, from now on, right before each call to this address that may write."""
    send = httpx.AsyncHTTPTransport.handle_async_request

    async def acting(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        if request.method != "GET" and str(request.url).startswith(address):
            act()
        return await send(transport, request)

    httpx.AsyncHTTPTransport.handle_async_request = acting  # type: ignore[method-assign]


@dataclass
class _Countdown:
    """Kills the process at the n-th tick."""

    left: int
    pid: int

    def tick(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(self.pid, signal.SIGKILL)
