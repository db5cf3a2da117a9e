"""A lock for each key: one at a time on the same thing, side by side on different things."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager


class KeyedLocks:
    """Within one event loop; whoever asks first has it first."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def held(self, *keys: str) -> AsyncIterator[None]:
        """Nobody else holds any of these keys in the body. Empty keys stand for nothing."""
        async with AsyncExitStack() as stack:
            for key in sorted({*keys} - {""}):  # in one order: no two wait for each other
                await stack.enter_async_context(self._locks[key])
            yield
