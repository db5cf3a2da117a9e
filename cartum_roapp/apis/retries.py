"""Repeats a call that may be repeated: a limited number of tries, with exponential back-off."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from cartum_roapp.apis.bounds import Bounds
from cartum_roapp.errors import Retryable

T = TypeVar("T")

LONGEST_BACKOFF = 30.0  # seconds


@dataclass(frozen=True)
class Patience:
    """How long a client tries. `timeout` is the deadline of one HTTP call, without the wait for a turn; `retry_base`
    the first back-off; `max_wait` the longest wait for a shop's hourly quota (all in seconds); `retries` the number of
    tries of each call in total; `bounds` how much of one list is read."""

    timeout: float = 20.0
    retries: int = 6
    retry_base: float = 1.0
    max_wait: float = 120.0
    bounds: Bounds = field(default_factory=Bounds)


def backoff(attempt: int, base: float) -> float:
    """Returns the seconds to wait after the failed `attempt` (the first is 1): `base` seconds, doubled with each
    attempt, plus up to a quarter of jitter, at most LONGEST_BACKOFF."""
    return min(LONGEST_BACKOFF, base * 2.0 ** min(attempt - 1, 16) * random.uniform(1.0, 1.25))  # noqa: S311


async def repeat(
    call: Callable[[int], Awaitable[T]],
    *,
    tries: int,
    base: float,
    max_wait: float,
    paced: bool = False,
) -> T:
    """Returns what `call(attempt)` returns. Repeats it while it raises Retryable, at most `tries` times in total; then
    raises the last Retryable. A Retryable whose `retry_after` exceeds `max_wait` (both in seconds) is raised at once.

    Between two tries it waits for `retry_after`, otherwise for `backoff`. `paced`: the limiter waits for `retry_after`,
    so this function does not."""

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
