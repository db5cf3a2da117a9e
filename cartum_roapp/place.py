"""A run's place in the worker: one that waits for another run, or for a quota, leaves it to others."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

#: Gives the place of this run to another one; None where the run has none, as on the command line.
leaving: ContextVar[Callable[[], None] | None] = ContextVar("leaving", default=None)


def leave() -> None:
    """Gives this run's place to another run, for good. May be called any number of times."""
    if (give := leaving.get()) is not None:
        give()
