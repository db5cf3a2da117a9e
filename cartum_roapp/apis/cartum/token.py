"""The token of a Cartum shop: valid for 600 s (cartum §1.1), with one login in flight at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

RENEW_AFTER = 540.0  # seconds


class Token:
    """Returns a valid token, and logs in if there is none.

    It is not documented whether the 600 s start again with each call. So they are counted from before the login was
    sent, and the token is renewed after 540 s. Tasks that ask at the same time share one login and its outcome, so that
    all of them together wait one deadline for an unreachable shop, not one each."""

    def __init__(self, login: Callable[[], Awaitable[str]], clock: Callable[[], float] = time.monotonic) -> None:
        self._login = login
        self._clock = clock
        self._value: str | None = None
        self._renew_at = 0.0
        self._pending: asyncio.Task[str] | None = None

    def __repr__(self) -> str:
        return f"Token({'held' if self._value else 'none'})"

    async def current(self) -> str:
        """Returns a valid token. Raises what the login raises. May be cancelled; other callers go on waiting."""
        if self._value is not None and self._clock() < self._renew_at:
            return self._value
        if self._pending is None or self._pending.done():
            self._pending = asyncio.create_task(self._renew())
            self._pending.add_done_callback(_consume)
        return await asyncio.shield(self._pending)

    def drop(self, refused: str) -> None:
        """To be called when the shop refused this token. Does nothing if there is a newer one already."""
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
    # If no caller is left, asyncio would log the exception with its traceback.
    if not task.cancelled():
        task.exception()
