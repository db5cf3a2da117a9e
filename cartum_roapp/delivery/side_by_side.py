"""Calls that do not depend on each other are in flight together."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import TypeVar

T = TypeVar("T")


async def side_by_side(work: Sequence[Coroutine[object, object, T]]) -> list[T]:
    """Returns what each of them returns. The first error cancels the rest and is raised."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
