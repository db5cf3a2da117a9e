"""The worker of a home, deployments/serve.py, as others see it.

It holds a lock while it lives, and a second one while it takes runs. So a worker that was started without a supervisor
is known as well. Every other second it touches the second one's file, as a sign of life.
"""

from __future__ import annotations

import signal
import sys
import time
from contextlib import suppress

from cartum_roapp.errors import IntegrationError, Retryable
from cartum_roapp.home import Home
from cartum_roapp.service.child import Child
from cartum_roapp.service.lock import is_held

LOG = "worker"
LOCK, POLLING_LOCK = "worker.lock", "polling.lock"
#: Seconds between two signs of life.
SIGN_EVERY = 2.0


class Worker(Child):
    name = LOG
    # It stops its runs meanwhile; the next worker continues them.
    ending = ((signal.SIGTERM, 20.0),)
    _last_sign = 0

    def command(self) -> list[str]:
        self._last_sign = 0
        return [sys.executable, "-P", "-m", "deployments.serve"]

    def variables(self) -> dict[str, str]:
        # Each run has its own thread. With one arena of glibc per thread the memory would seem to grow for ever.
        return {"MALLOC_ARENA_MAX": "2", **self.environment}

    def answers(self) -> bool:
        if not polls(self.home):
            return False
        last, self._last_sign = self._last_sign, _last_sign(self.home)
        return self._last_sign != last

    def failure(self) -> IntegrationError:
        return Retryable(
            "The worker did not start.",
            fix=f"Read the reason at the end of {self.home.log_path(LOG)}, fix it, then repeat.",
        )


def runs(home: Home) -> bool:
    """Returns whether a worker of this home is alive. It may not poll yet."""
    return is_held(home.run / LOCK)


def polls(home: Home) -> bool:
    """Returns whether a worker of this home takes runs."""
    return is_held(home.run / POLLING_LOCK)


def _last_sign(home: Home) -> int:
    """Returns a number that changes while the worker lives; always on a disk that is not writable."""
    with suppress(IntegrationError, OSError):
        home.require_disk()
        return (home.run / POLLING_LOCK).stat().st_mtime_ns
    return time.monotonic_ns()
