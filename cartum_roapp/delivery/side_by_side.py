"""Calls that do not depend on each other are in flight together."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence


async def side_by_side(work: Sequence[Coroutine[object, object, None]]) -> None:
    """Waits for all of it. The first error cancels the rest and is raised."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
