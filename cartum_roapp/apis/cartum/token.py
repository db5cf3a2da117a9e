"""The token of a Cartum shop: 600 s from its issue, one login in flight (cartum §1.1)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

RENEW_AFTER = 540.0


class Token:
    """Hands out a token that is still good, and logs in when there is none.

    Whether the 600 s slide is not documented, so they count from before the login was sent, and the token is
    renewed after 540 s. Tasks that ask at the same time share one login, with its outcome: an unreachable
    shop costs all of them one deadline, not one each."""

    def __init__(self, login: Callable[[], Awaitable[str]], clock: Callable[[], float] = time.monotonic) -> None:
        self._login = login
        self._clock = clock
        self._value: str | None = None
        self._renew_at = 0.0
        self._pending: asyncio.Task[str] | None = None

    def __repr__(self) -> str:
        return f"Token({'held' if self._value else 'none'})"

    async def current(self) -> str:
        """Raises whatever the login raises. May be cancelled without hurting the others who wait."""
        if self._value is not None and self._clock() < self._renew_at:
            return self._value
        if self._pending is None or self._pending.done():
            self._pending = asyncio.create_task(self._renew())
            self._pending.add_done_callback(_consume)
        return await asyncio.shield(self._pending)

    def drop(self, refused: str) -> None:
        """The shop refused this token. Does nothing when a newer one is held already."""
        if self._value == refused:
            self._value = None

    async def close(self) -> None:
        if self._pending is not None and not self._pending.done():
            self._pending.cancel()
            await asyncio.wait([self._pending])
        self._value = None

    async def _renew(self) -> str:
        asked = self._clock()
        self._value = None
        value = await self._login()
        self._value, self._renew_at = value, asked + RENEW_AFTER
        return value


def _consume(task: asyncio.Task[str]) -> None:
    # Nobody may be left to look at the outcome; asyncio would log it, traceback and all.
    if not task.cancelled():
        task.exception()
