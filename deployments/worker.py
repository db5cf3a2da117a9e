"""A worker that runs flows in its own process, each in a thread with its own event loop.

One process per run would need seconds to start for every run of every shop. One process serves hundreds of shops every
five minutes (docs/adr/0003).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import anyio
import anyio.abc
from prefect import Flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import FlowRun, StateType, WorkPool
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import InfrastructureNotFound, ObjectNotFound
from prefect.flows import load_flow_from_entrypoint
from prefect.settings import get_current_settings
from prefect.states import AwaitingRetry, Cancelled
from prefect.workers.base import BaseJobConfiguration, BaseWorker, BaseWorkerResult

from cartum_roapp import place
from cartum_roapp.sync.sentence import CANCELED
from deployments.run_thread import RunThread

POOL_TYPE = "cartum-roapp"

#: How many runs go at once. Syncs are counted apart, so that they never wait for imports and backfills. A run holds
#: about five of the database's 200 connections.
SYNC = "incremental-sync"
SYNCS, OTHERS = 20, 10
#: So many more may wait for another run or for a shop's quota, and go on after that: they have left their places.
ASIDE = 10
_LOOK = 3.0  # seconds
_OWN = re.compile(r"flows(\.[a-z_]+){2}")


def own_flow(entrypoint: str | None) -> Flow[Any, Any]:
    """Returns the flow of this project that an entrypoint names, such as `flows.backfill.backfill`.

    A deployment names the code to run. Raises ForeignFlow for code that is not this project's, without importing it.
    """
    if entrypoint is None or not _OWN.fullmatch(entrypoint):
        raise ForeignFlow(
            f"The worker runs the flows of cartum-roapp only, and not {(entrypoint or 'nothing')[:200]!r}."
        )
    flow: Flow[Any, Any] = load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False)
    # Else each run asks the server where it keeps results, although none is kept.
    return flow.with_options(result_storage=Path(get_current_settings().results.local_storage_path))


class ForeignFlow(ValueError):
    """A deployment names code that is not this project's."""


class InProcessResult(BaseWorkerResult):
    """Reports only that the run is over: Prefect's engine has recorded how it ended."""


class RunConfiguration(BaseJobConfiguration):
    """What this worker needs to know of a run: the code that its deployment names."""

    entrypoint: str | None = None

    @classmethod
    async def resolve_for_flow_run(
        cls,
        flow_run: FlowRun,
        *,
        client: PrefectClient,
        work_pool: WorkPool,
        worker_name: str,
        worker_id: UUID | None = None,
        deployment: DeploymentResponse | None = None,
    ) -> Self:
        """Nothing is started, so there is no template to fill and no environment to make."""
        if flow_run.deployment_id is None:
            raise ValueError("a flow run without a deployment has no entrypoint")
        found = deployment or await client.read_deployment(flow_run.deployment_id)
        return cls(name=flow_run.name, entrypoint=found.entrypoint)


class InProcessWorker(BaseWorker[RunConfiguration, Any, InProcessResult]):
    """Polls its work pool like any worker of Prefect. `threads` has its present runs by flow run id."""

    type = POOL_TYPE
    job_configuration = RunConfiguration
    _description = "Runs the flows of cartum-roapp in the worker's own process."
    _display_name = "Cartum → RO App"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.threads: dict[UUID, RunThread] = {}
        self._syncs, self._others = asyncio.Semaphore(SYNCS), asyncio.Semaphore(OTHERS)
        self._aside = 0

    async def run(
        self,
        flow_run: FlowRun,
        configuration: RunConfiguration,
        task_status: anyio.abc.TaskStatus[int] | None = None,
    ) -> InProcessResult:
        """Runs the flow to its end. Errors of the flow are recorded in the run and not raised."""
        flow = own_flow(configuration.entrypoint)
        thread = self.threads[flow_run.id] = RunThread(flow, flow_run, is_short=flow.name == SYNC)
        if task_status is not None:
            task_status.started(flow_run.id.int)
        async with self._placed(self._syncs if flow.name == SYNC else self._others):
            await thread.run()
        # Not reached in a worker that is stopped: `close` ends the runs that are left in `threads`.
        del self.threads[flow_run.id]
        await _set_ending(thread)
        return InProcessResult(status_code=0, identifier=str(flow_run.id))

    @asynccontextmanager
    async def _placed(self, places: asyncio.Semaphore) -> AsyncIterator[None]:
        """Holds one of the places for the body, or until the run in it leaves it."""
        loop, held = asyncio.get_running_loop(), True

        def step_aside() -> None:
            nonlocal held
            if held and self._aside < ASIDE:
                held, self._aside = False, self._aside + 1
                places.release()

        def leave() -> None:
            with suppress(RuntimeError):  # the worker has ended
                loop.call_soon_threadsafe(step_aside)

        await places.acquire()
        token = place.leaving.set(leave)
        try:
            yield
        finally:
            place.leaving.reset(token)
            if held:
                held = False
                places.release()
            else:
                self._aside -= 1

    async def kill_infrastructure(
        self, infrastructure_pid: str, configuration: RunConfiguration, grace_seconds: int = 30
    ) -> None:
        """Called by Prefect for a run that is cancelled before it began: the run then does not begin."""
        thread = self.threads.get(UUID(int=int(infrastructure_pid)))
        if thread is None:
            raise InfrastructureNotFound("this worker has no such run")
        thread.stop(Cancelled(message="Cancelled before it began."))

    async def watch_cancellations(self) -> None:
        """Ends the runs that a person cancels in the UI, within seconds. Never returns."""
        while True:
            await asyncio.sleep(_LOOK)
            if self.threads:
                with suppress(Exception):  # the server is down: runs go on, and the next try asks it again
                    for id in await _cancelling(self.client, self.threads):
                        if thread := self.threads.get(id):
                            thread.stop(Cancelled(message=CANCELED))

    async def close(self, timeout: float) -> bool:
        """Ends all runs; the next worker continues them. Returns False if one still runs after `timeout` seconds. To be
        called after the worker stopped polling."""
        for thread in self.threads.values():
            thread.stop(AwaitingRetry(message="The worker was stopped. The next one goes on with this run."))
        deadline = time.monotonic() + timeout
        over = True
        for thread in list(self.threads.values()):
            over &= await asyncio.to_thread(thread.over, max(0.0, deadline - time.monotonic()))
            await _set_ending(thread)
        return over


async def _set_ending(thread: RunThread) -> None:
    """Sets the state of a stopped run, unless the run ended by itself before."""
    if thread.ending is None:
        return
    async with get_client() as client:
        try:
            state = (await client.read_flow_run(thread.flow_run.id)).state
            # A run that somebody suspended waits for a person, whether there is a worker or not.
            if state is None or state.is_crashed() or not (state.is_final() or state.is_paused()):
                await client.set_flow_run_state(thread.flow_run.id, thread.ending, force=True)
        except ObjectNotFound:
            pass


async def _cancelling(client: PrefectClient, ids: Iterable[UUID]) -> list[UUID]:
    wanted = FlowRunFilter(
        id=FlowRunFilterId(any_=list(ids)),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.CANCELLING])),
    )
    return [run.id for run in await client.read_flow_runs(flow_run_filter=wanted)]
