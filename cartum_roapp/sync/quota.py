"""What a run does when the shop's hourly quota is used up, or when it has lost the shop's lock: a sync ends, as the
next ones do the same; any other run waits and continues. It holds no lock meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from cartum_roapp import place
from cartum_roapp.errors import NotNow, OverQuota
from cartum_roapp.ledger.lock_session import LockLost

#: In seconds: a run that would have to wait for longer fails. About a minute more than an hour.
LONGEST_WAIT = 3700.0
#: In seconds: the wait where the shop doesn't say how long its quota is used up.
UNKNOWN_WAIT = 600.0
#: In seconds: the wait where the lock is lost, in which PostgreSQL may start again.
LOCK_WAIT = 5.0
#: How often it waits for one piece of work; then the run fails.
WAITS = 24

log = logging.getLogger(__name__)


@contextmanager
def within_quota() -> Iterator[None]:
    """Raises NotNow in place of OverQuota."""
    try:
        yield
    except OverQuota as error:
        said = f"{error.message[:1].upper()}{error.message[1:]}"
        raise NotNow(f"{said}; the next sync after that takes over what is new.") from None


def outlasting_quota() -> AsyncRetrying:
    """Returns attempts at a body that is left, with its locks, while the quota is used up, and for a moment where the
    connection with the shop's lock broke. The body has to continue where it was."""
    return AsyncRetrying(
        retry=retry_if_exception(
            lambda error: isinstance(error, OverQuota | LockLost) and _seconds(error) <= LONGEST_WAIT
        ),
        wait=lambda state: _seconds(state.outcome.exception() if state.outcome else None),
        stop=stop_after_attempt(1 + WAITS),
        before_sleep=_before_sleep,
        reraise=True,
    )


def _seconds(error: BaseException | None) -> float:
    if isinstance(error, LockLost):
        return LOCK_WAIT
    asked = error.retry_after if isinstance(error, OverQuota) else None
    return UNKNOWN_WAIT if asked is None else asked


def _before_sleep(state: RetryCallState) -> None:
    place.leave()
    if state.outcome is not None:
        log.info("%s; this run goes on after that", state.outcome.exception())
