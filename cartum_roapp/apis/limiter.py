"""Who may call RO App now: at most one call every `interval` seconds per account."""

from __future__ import annotations

import asyncio
from typing import Protocol

#: No penalty is longer, in seconds.
LONGEST_PENALTY = 120.0


class Limiter(Protocol):
    """One per RO App account. RO App allows 3 requests a second and answers 429 above it (roapp §2)."""

    async def acquire(self) -> float:
        """Returns when the caller may send exactly one request, at once; gives the moment (`now`) from which that is
        late. Waits in turn; may be cancelled."""

    async def late(self, seconds: float) -> None:
        """The request left that long after its turn: the turns after it move as well, so that it comes no closer to
        them. Returns without waiting."""

    async def penalize(self, seconds: float) -> None:
        """After a 429: nobody gets a turn for `seconds` (at most LONGEST_PENALTY) from now. Returns without waiting
        that long."""


def now() -> float:
    """The clock of turns: seconds that are never put back."""
    return asyncio.get_running_loop().time()


class LocalLimiter:
    """A limiter for one process and one event loop; for several processes there is one over PostgreSQL.

    `interval` is in seconds. The next turn is measured from the moment at which the previous one was
    really given, not from when it was due: a late wake-up never makes two calls closer than the interval,
    and there is no burst after an idle time.
    """

    def __init__(self, interval: float = 0.351) -> None:
        self._interval = interval
        self._next = 0.0
        self._turn = asyncio.Lock()

    async def acquire(self) -> float:
        # The lock is held through the sleep, so that turns are given in the order of asking. A penalty
        # that arrives meanwhile moves `_next`, hence the loop.
        async with self._turn:
            while (wait := self._next - now()) > 0:
                await asyncio.sleep(wait)
            self._next = now() + self._interval
            return now()

    async def late(self, seconds: float) -> None:
        self._next = max(self._next + min(seconds, self._interval), now() + self._interval)

    async def penalize(self, seconds: float) -> None:
        self._next = max(self._next, now() + seconds)
