"""Repeating a call that may be repeated: bounded, with growing pauses."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from cartum_roapp.errors import Retryable

T = TypeVar("T")

LONGEST_BACKOFF = 30.0


def backoff(attempt: int, base: float) -> float:
    """Seconds after the failed `attempt` (from 1): `base`, doubling, with a quarter of jitter, at most 30."""
    return min(LONGEST_BACKOFF, base * 2.0 ** min(attempt - 1, 16) * random.uniform(1.0, 1.25))  # noqa: S311


async def repeat(
    call: Callable[[int], Awaitable[T]],
    *,
    tries: int,
    base: float,
    max_wait: float,
    paced: bool = False,
) -> T:
    """`call(attempt)` until it raises something else than Retryable, at most `tries` times; the last
    Retryable comes out as it is. One whose `retry_after` exceeds `max_wait` (seconds) comes out at once.
    Between two tries: its `retry_after`, else `pause`. `paced`: somebody else keeps the time of a
    `retry_after` (RO App's limiter), so it is not waited for here."""

    def again(error: BaseException) -> bool:
        return isinstance(error, Retryable) and (error.retry_after is None or error.retry_after <= max_wait)

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, Retryable) else None
        if asked is None:
            return backoff(state.attempt_number, base)
        return 0.0 if paced else asked

    async for attempt in AsyncRetrying(
        stop=stop_after_attempt(max(1, tries)), wait=wait, retry=retry_if_exception(again), reraise=True
    ):
        with attempt:
            return await call(attempt.retry_state.attempt_number)
    raise AssertionError("tenacity ends with a result or an exception")
