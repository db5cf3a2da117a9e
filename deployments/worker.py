"""A worker that runs flows in its own process, each in a thread with an event loop of its own.

A process per run costs seconds of start-up on every run of every shop; one warm process keeps hundreds
of shops at five minutes (docs/adr/0003).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from uuid import UUID

import anyio
import anyio.abc
from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.exceptions import InfrastructureNotFound, ObjectNotFound
from prefect.flows import load_flow_from_entrypoint
from prefect.states import AwaitingRetry, Cancelled
from prefect.workers.base import BaseJobConfiguration, BaseWorker, BaseWorkerResult

from deployments.run_thread import RunThread

POOL_TYPE = "cartum-roapp"

#: Syncs never wait behind imports and backfills. A run holds about five connections of the database's 200.
SYNC = "incremental-sync"
SYNCS, OTHERS = 20, 10
_LOOK = 3.0
_OWN = re.compile(r"flows(\.[a-z_]+){2}")


def own_flow(entrypoint: str | None) -> Flow[Any, Any]:
    """The flow of this project that an entrypoint names, such as `flows.backfill.backfill`.

    Whoever may make deployments names the code that this process would run. Raises ForeignFlow for all other code:
    nothing of it is imported.
    """
    if entrypoint is None or not _OWN.fullmatch(entrypoint):
        raise ForeignFlow(
            f"The worker runs the flows of cartum-roapp only, and not {(entrypoint or 'nothing')[:200]!r}."
        )
    return load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False)


class ForeignFlow(ValueError):
    """A deployment in the work pool names code that is not this project's."""


class InProcessResult(BaseWorkerResult):
    """The flow recorded its own end; the worker only reports that it is over."""


class InProcessWorker(BaseWorker[BaseJobConfiguration, Any, InProcessResult]):
    """Polls its work pool like any worker of Prefect. `threads` are the runs it has at hand, by flow run id."""

    type = POOL_TYPE
    job_configuration = BaseJobConfiguration
    _description = "Runs the flows of cartum-roapp in the worker's own process."
    _display_name = "Cartum → RO App"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.threads: dict[UUID, RunThread] = {}
        self._syncs, self._others = asyncio.Semaphore(SYNCS), asyncio.Semaphore(OTHERS)

    async def run(
        self,
        flow_run: FlowRun,
        configuration: BaseJobConfiguration,
        task_status: anyio.abc.TaskStatus[int] | None = None,
    ) -> InProcessResult:
        """Runs the flow to its end. An error inside the flow is the run's, not the worker's."""
        if flow_run.deployment_id is None:
            raise ValueError("a flow run without a deployment has no entrypoint")
        flow = own_flow((await self.client.read_deployment(flow_run.deployment_id)).entrypoint)
        thread = self.threads[flow_run.id] = RunThread(flow, flow_run)
        if task_status is not None:
            task_status.started(flow_run.id.int)
        async with self._syncs if flow.name == SYNC else self._others:
            await thread.run()
        # A worker that is being stopped does not come here: `close` ends what is left in `threads`.
        del self.threads[flow_run.id]
        await _leave(thread)
        return InProcessResult(status_code=0, identifier=str(flow_run.id))

    async def kill_infrastructure(
        self, infrastructure_pid: str, configuration: BaseJobConfiguration, grace_seconds: int = 30
    ) -> None:
        """Called by Prefect for a run that is cancelled before it began: it never begins."""
        thread = self.threads.get(UUID(int=int(infrastructure_pid)))
        if thread is None:
            raise InfrastructureNotFound("this worker has no such run")
        thread.stop(Cancelled(message="Cancelled before it began."))

    async def watch_cancellations(self) -> None:
        """Ends the runs that a person cancels in the UI, within seconds. Never returns."""
        while True:
            await asyncio.sleep(_LOOK)
            if self.threads:
                with suppress(Exception):  # the server is away: the runs go on, and it is asked again
                    for id in await _cancelling(self.threads):
                        if thread := self.threads.get(id):
                            thread.stop(Cancelled(message="Cancelled; what it had stored and delivered stays."))

    async def close(self, timeout: float) -> bool:
        """Ends all runs, to be gone on with by the next worker; False if one is still in a call after `timeout`
        seconds. For a worker that has stopped polling."""
        for thread in self.threads.values():
            thread.stop(AwaitingRetry(message="The worker was stopped. The next one goes on with this run."))
        deadline = time.monotonic() + timeout
        over = True
        for thread in list(self.threads.values()):
            over &= await asyncio.to_thread(thread.over, max(0.0, deadline - time.monotonic()))
            await _leave(thread)
        return over


async def _leave(thread: RunThread) -> None:
    """Gives a stopped run its state, unless it had come to an end by itself."""
    if thread.ending is None:
        return
    async with get_client() as client:
        try:
            state = (await client.read_flow_run(thread.flow_run.id)).state
            # A suspended run waits for a person, whether there is a worker or not.
            if state is None or state.is_crashed() or not (state.is_final() or state.is_paused()):
                await client.set_flow_run_state(thread.flow_run.id, thread.ending, force=True)
        except ObjectNotFound:
            pass


async def _cancelling(ids: Iterable[UUID]) -> list[UUID]:
    wanted = FlowRunFilter(
        id=FlowRunFilterId(any_=list(ids)),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.CANCELLING])),
    )
    async with get_client() as client:
        return [run.id for run in await client.read_flow_runs(flow_run_filter=wanted)]
