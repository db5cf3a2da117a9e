"""RO App's 3 calls a second, over all processes, on real time: never more, and hardly less while there is work."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from statistics import median
from typing import Any

import httpcore
import httpx
import pytest
from forked import Forked
from pydantic import SecretStr
from reliability import Record
from sqlalchemy import event, text
from world import Toll, World

from cartum_roapp.apis.calls import Calls
from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.ledger.slots import CallSlots
from cartum_roapp.shops.access import Clients, enter_account
from sandbox.budget import Budget, budget
from sandbox.messages import Call

INTERVAL = 0.351
REAL: dict[str, Any] = {"roapp_interval": INTERVAL, "http_timeout": 20.0, "retries": 6, "retry_base": 1.0}
USED = 0.9


@contextmanager
def a_world(url: str, **switches: Any) -> Iterator[World]:
    """Two shops on one account that counts strictly: a fourth call within a second gets 429."""
    fixed: dict[str, Any] = {"shops": 2, "delivered": 0, "older": 0, "rate_limit": 3}
    with World.of(url, settings=REAL, **{**fixed, **switches}) as world:
        yield world


def in_its_own_process(world: World, work: Callable[[World], object]) -> Forked:
    """Runs `work` with the same sandbox and ledger, over connections of its own."""
    return Forked(lambda: work(World(world.box, world.url, **REAL)))


def imports(world: World) -> list[Forked]:
    """The first imports of both shops, each in a process of its own."""
    shops = [world.shop(0), world.shop(1)]
    return [in_its_own_process(world, lambda own, order=order: own.imported(*order))
            for order in (shops, shops[::-1])]  # fmt: skip


def while_work_waits(calls: list[Call]) -> list[Call]:
    """Up to the last order that was made: then fewer orders are left than can be in flight."""
    made = [number for number, call in enumerate(calls) if (call.method, call.path) == ("POST", "/orders")]
    return calls[: made[-1] + 1]


def assert_kept(found: Budget) -> None:
    assert found.most <= 3, str(found)
    assert found.limited == 0, str(found)


def assert_all_there(world: World) -> None:
    for index in range(len(world.box.shops)):
        assert world.differences(world.shop(index), world.box.shops[index].qualifying(), index) == []


@pytest.mark.long
@pytest.mark.alone
def test_two_imports_and_a_person_who_checks_use_the_budget_and_keep_it(database: str) -> None:
    """Two imports at once on one account, and lists read beside them as `shop check` does. Enough orders that the
    beginning, when each call waits for the one before, is less than half of it."""
    with a_world(database, orders=25, latency=1.5) as world:

        def check(own: World) -> None:
            clients = Clients(timeout=10, limiter=lambda name: CallSlots(own.engine, name, INTERVAL))
            for _ in range(2):
                time.sleep(8)
                lists, problem = asyncio.run(enter_account(clients, own.found(own.shop()).account))
                assert lists is not None, problem

        processes = [*imports(world), in_its_own_process(world, check)]
        assert [process.ended() for process in processes] == [0, 0, 0]
        calls = world.box.roapp.calls
        assert_kept(budget(calls))
        found = budget(while_work_waits(calls))
        assert found.usual >= USED, str(found)
        assert_all_there(world)


@pytest.mark.long
@pytest.mark.alone
@pytest.mark.parametrize("retry_after", [None, 2.0])
def test_a_storm_of_429s_is_waited_out_and_the_whole_budget_used_again(
    database: str, record: Record, retry_after: float | None
) -> None:
    """The customer's other tools use the account's budget up for a while."""
    with a_world(database, orders=10, latency=0.3, retry_after=retry_after) as world:
        roapp = world.box.roapp
        processes = imports(world)
        while len(roapp.calls) < 20:
            time.sleep(0.05)
        roapp.faults.fail("rate", times=8)
        assert [process.ended() for process in processes] == [0, 0]
        found = budget(roapp.calls)
        assert (found.limited, found.most) == (8, 3), str(found)
        refused = max(number for number, call in enumerate(roapp.calls) if call.status == 429)
        after = budget(while_work_waits(roapp.calls)[refused + 1 :])
        assert after.usual >= USED, str(after)
        if retry_after is not None:
            for before, call in pairwise(roapp.calls):
                if before.status == 429 and call.status != 429:
                    assert call.arrived - before.arrived >= retry_after
        toll = Toll()
        for index, box in enumerate(world.box.shops):
            toll += world.toll(world.shop(index), box.qualifying(), index)
        fault = f"a storm of 429s {'with' if retry_after else 'without'} Retry-After during two imports"
        record("In RO App", fault, toll, "by itself: the account's pause is everybody's, then 3 calls a second again")


@pytest.mark.long
@pytest.mark.alone
def test_turns_of_many_processes_also_when_some_are_killed(database: str) -> None:
    """A turn that nobody holds can't be lost with its holder."""
    with World.of(database, orders=0) as world:
        reading, writing = os.pipe()

        def take(own: World) -> None:
            async def main() -> None:
                slots = CallSlots(own.engine, "main", INTERVAL)
                while True:
                    await asyncio.gather(*(one(slots) for _ in range(3)))

            async def one(slots: CallSlots) -> None:
                began = await slots.acquire()
                turn = {"from": began, "to": time.monotonic(), "pid": os.getpid()}
                os.write(writing, f"{json.dumps(turn)}\n".encode())

            asyncio.run(main())

        processes = [in_its_own_process(world, take) for _ in range(4)]
        turns = []
        with os.fdopen(reading) as lines:
            for line in lines:
                turns.append(json.loads(line))
                if len(turns) in (10, 20):
                    processes.pop().kill()
                if len(turns) == 40:
                    break
        for process in processes:
            process.kill()
        os.close(writing)
        turns.sort(key=lambda turn: turn["from"])
        assert all(fourth["to"] - first["from"] >= 1.0 for first, fourth in zip(turns, turns[3:], strict=False))
        assert median(later["from"] - earlier["from"] for earlier, later in pairwise(turns)) <= 1 / 3 / USED
        assert {process.pid for process in processes} <= {turn["pid"] for turn in turns}, "nobody is left out for good"


class SlowNetwork(httpcore.AsyncNetworkBackend):
    """Connections stand after 150 ms, as with TLS and a server far away."""

    def __init__(self) -> None:
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(self, *arguments: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        await asyncio.sleep(0.15)
        return await self._network.connect_tcp(*arguments, **options)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def test_calls_that_leave_late_come_no_closer_to_the_next_ones(database: str) -> None:
    """The first calls of a run open connections: they arrive late, the fourth does not."""
    with World.of(database, rate_limit=3, latency=0.4) as world:

        def read(own: World) -> None:
            transport = httpx.AsyncHTTPTransport()
            transport._pool = httpcore.AsyncConnectionPool(network_backend=SlowNetwork())

            async def main() -> None:
                account = own.found(own.shop()).account
                slots = CallSlots(own.engine, "main", INTERVAL)
                async with RoApp(account.base_url, SecretStr(own.box.roapp.api_key), limiter=slots, calls=Calls(),
                                 transport=transport) as roapp:  # fmt: skip
                    await asyncio.gather(*(roapp.locations() for _ in range(8)))

            asyncio.run(main())

        assert in_its_own_process(world, read).ended() == 0
        assert_kept(budget(world.box.roapp.calls))


@pytest.mark.long
@pytest.mark.alone
def test_a_slow_disk_makes_no_429(database: str) -> None:
    """Each intent is committed between the turn and the request."""
    with a_world(database, shops=1, orders=3, latency=0.3) as world:

        def import_slowly(own: World) -> None:
            commits = iter(range(100_000))

            @event.listens_for(own.engine, "commit")
            def _(connection: object) -> None:
                if next(commits) % 7 == 0:
                    time.sleep(0.12)

            own.imported()

        assert in_its_own_process(world, import_slowly).ended() == 0
        assert_kept(budget(world.box.roapp.calls))
        assert_all_there(world)


def test_a_penalty_is_everybodys_also_of_who_waits_already(database: str) -> None:
    with World.of(database, orders=0) as world:

        async def main() -> None:
            ours, theirs = (CallSlots(world.engine, "main", INTERVAL) for _ in range(2))
            await ours.acquire()
            waiting = [asyncio.create_task(slots.acquire()) for slots in (ours, theirs)]
            await asyncio.sleep(INTERVAL / 2)
            asked = time.monotonic()
            await ours.penalize(1.2)
            first, second = sorted([await turn for turn in waiting])
            assert first - asked >= 1.2
            assert second - first >= INTERVAL * 0.9, "no herd afterwards"

        asyncio.run(main())


@pytest.mark.parametrize("step", ["1 hour", "-1 hour"])
def test_a_clock_that_is_put_stops_nothing(database: str, step: str) -> None:
    """PostgreSQL's clock was put by an hour since the last call: `next_at` is of the old one."""
    with World.of(database, orders=0) as world:

        async def main() -> None:
            await CallSlots(world.engine, "main", INTERVAL).acquire()
            with world.engine.begin() as connection:
                connection.execute(text(f"UPDATE call_slots SET next_at = next_at + interval '{step}'"))
            slots = CallSlots(world.engine, "main", INTERVAL)
            async with asyncio.timeout(60):
                turns = [await slots.acquire() for _ in range(3)]
            assert all(later - earlier >= INTERVAL * 0.9 for earlier, later in pairwise(turns))

        asyncio.run(main())
