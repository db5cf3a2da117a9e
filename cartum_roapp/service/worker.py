"""The worker of a home, deployments/serve.py, as others see it.

It holds a lock while it lives, and a second one while it takes runs. So a worker that was started without a supervisor
is known as well.
"""

from __future__ import annotations

import signal
import sys

from cartum_roapp.errors import IntegrationError, Retryable
from cartum_roapp.home import Home
from cartum_roapp.service.child import Child
from cartum_roapp.service.lock import is_held

LOG = "worker"
LOCK, POLLING_LOCK = "worker.lock", "polling.lock"


class Worker(Child):
    name = LOG
    # It stops its runs meanwhile; the next worker continues them.
    ending = ((signal.SIGTERM, 20.0),)

    def command(self) -> list[str]:
        return [sys.executable, "-P", "-m", "deployments.serve"]

    def variables(self) -> dict[str, str]:
        # Each run has its own thread. With one arena of glibc per thread the memory would seem to grow for ever.
        return {"MALLOC_ARENA_MAX": "2", **self.environment}

    def answers(self) -> bool:
        return polls(self.home)

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
