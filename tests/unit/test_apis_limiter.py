"""The limiter's turns, in a time that only passes when everybody waits."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from itertools import pairwise
from typing import Any

from cartum_roapp.apis.calls import Calls
from cartum_roapp.apis.limiter import Limiter, LocalLimiter


class _Clock(selectors.SelectSelector):
    """Where the loop would block for a time, that time has simply passed."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout:
            self.now += timeout
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.clock = _Clock()
        super().__init__(self.clock)

    def time(self) -> float:
        return self.clock.now


def run(main: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=_Loop) as runner:
        runner.run(main)


def now() -> float:
    return asyncio.get_running_loop().time()


def gaps(turns: list[float]) -> list[float]:
    return [round(later - earlier, 6) for earlier, later in pairwise(turns)]


def test_turns_are_an_interval_apart_and_in_the_order_of_asking() -> None:
    async def main() -> None:
        limiter: Limiter = LocalLimiter(0.351)
        turns: list[tuple[int, float]] = []

        async def call(number: int) -> None:
            await limiter.acquire()
            turns.append((number, now()))

        await asyncio.gather(*(call(number) for number in range(8)))
        assert [number for number, _ in turns] == list(range(8))
        assert gaps([at for _, at in turns]) == [0.351] * 7

    run(main())


def test_a_late_call_does_not_let_the_next_one_come_early() -> None:
    async def main() -> None:
        limiter = LocalLimiter(0.351)
        turns = []
        await limiter.acquire()
        await asyncio.sleep(10)  # idle: no turns are saved up
        for _ in range(3):
            await limiter.acquire()
            turns.append(now())
        assert gaps(turns) == [0.351, 0.351]

        asyncio.get_running_loop().call_later(0.2, _stall, 0.3)  # the machine stalls over the next turn
        await limiter.acquire()
        turns.append(now())
        await limiter.acquire()
        turns.append(now())
        assert gaps(turns)[-2:] == [0.5, 0.351]

    run(main())


def _stall(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, _Loop)
    loop.clock.now += seconds


def test_after_a_penalty_nobody_gets_a_turn_not_even_who_waited_already() -> None:
    async def main() -> None:
        limiter = LocalLimiter(1.0)
        await limiter.acquire()
        waiting = asyncio.create_task(limiter.acquire())
        await asyncio.sleep(0.5)
        await limiter.penalize(7.0)
        assert now() == 0.5  # asking for a penalty does not wait
        await waiting
        assert now() == 7.5
        await limiter.penalize(0.1)  # a shorter one does not shorten the interval
        await limiter.acquire()
        assert now() == 8.5

    run(main())


def test_a_cancelled_wait_leaves_the_turn_to_the_next() -> None:
    async def main() -> None:
        limiter = LocalLimiter(1.0)
        await limiter.acquire()
        given_up, waiting = asyncio.create_task(limiter.acquire()), asyncio.create_task(limiter.acquire())
        await asyncio.sleep(0.1)
        given_up.cancel()
        await waiting
        assert now() == 1.0

    run(main())


def test_calls_are_counted_by_kind() -> None:
    calls = Calls()
    for kind in ("cartum", "roapp_reads", "roapp_reads", "roapp_writes"):
        calls.add(kind)
    assert calls.by_kind == {"cartum": 1, "roapp_reads": 2, "roapp_writes": 1}
    assert calls.total == 4
