"""The arrows between the tasks of a run in Prefect's UI: which ones a task waited for.

The tasks of a run form chains, one for each part that is read and stored. Of each chain its last task is known, by the
id alone: Prefect draws arrows from the ids of the states in `wait_for`, and needs no results for that.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from uuid import UUID

from prefect import State
from prefect.client.schemas.objects import StateDetails
from prefect.runtime import flow_run, task_run
from prefect.states import Completed


class After(Enum):
    """What a task waits for: nothing, as it begins a chain; the last task of the present chain; or those of all
    chains. The value is which ends of chains these are."""

    NOTHING = slice(sys.maxsize, None)
    LAST = slice(-1, None)
    ALL = slice(None)


Ends = list[State[bool]]

_ends: ContextVar[tuple[str | None, Ends]] = ContextVar("ends")


def before(after: After) -> Ends:
    """Returns the states that a task of this flow run waits for."""
    return _of_this_run()[after.value]


@contextmanager
def linked(after: After) -> Iterator[None]:
    """Inside, a task runs. If it ends well, it takes the place of those that it waited for."""
    ends, id = _of_this_run(), UUID(task_run.get_id())
    yield
    # Prefect asks for the result of what a task waits for, so there must be one.
    ends[after.value] = [Completed(data=True, state_details=StateDetails(task_run_id=id))]


def _of_this_run() -> Ends:
    run, ends = _ends.get((None, []))
    if run != (present := flow_run.get_id()):
        _ends.set((present, ends := []))
    return ends
