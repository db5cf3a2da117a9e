"""Paces calls to RO App: at most one every `interval` seconds per account."""

from __future__ import annotations

import asyncio
from typing import Protocol

#: The longest penalty, in seconds.
LONGEST_PENALTY = 120.0


class Limiter(Protocol):
    """One per RO App account. RO App allows 3 requests a second and answers 429 above it (roapp §2)."""

    async def acquire(self) -> float:
        """Waits for a turn, in the order of the calls. The caller then sends exactly one request, at once. Returns the
        time of the turn, by `now`. May be cancelled."""

    async def late(self, seconds: float) -> None:
        """To be called if the request was sent `seconds` after its turn: delays the next turns, so that the distance to
        them is kept. Does not wait."""

    async def penalize(self, seconds: float) -> None:
        """To be called after a 429: there is no turn for `seconds` (at most LONGEST_PENALTY) from now on. Does not wait
        that long."""


def now() -> float:
    """Returns the time by which turns are measured: monotonic, in seconds."""
    return asyncio.get_running_loop().time()


class LocalLimiter:
    """A limiter for one process and one event loop. (`ledger.slots` has the one for several processes.)

    `interval` is in seconds. It is measured from the time at which the previous turn was given, not from when it was
    due, so a late wake-up brings no two calls closer than the interval, and no burst follows an idle time.
    """

    def __init__(self, interval: float = 0.351) -> None:
        self._interval = interval
        self._next = 0.0
        self._turn = asyncio.Lock()

    async def acquire(self) -> float:
        # The lock is held during the sleep, so that turns are given in the order of the calls. It is a loop because a
        # penalty may move `_next` meanwhile.
        async with self._turn:
            while (wait := self._next - now()) > 0:
                await asyncio.sleep(wait)
            self._next = now() + self._interval
            return now()

    async def late(self, seconds: float) -> None:
        self._next = max(self._next + min(seconds, self._interval), now() + self._interval)

    async def penalize(self, seconds: float) -> None:
        self._next = max(self._next, now() + seconds)
