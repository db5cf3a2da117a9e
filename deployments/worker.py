"""A worker that runs syncs in its own process, each in a thread with its own event loop, and all other flows in
processes of their own.

One process per sync would need seconds to start for every shop. One process serves hundreds of shops every five minutes
(docs/adr/0003). A long run that leaks, or burns a core, is alone in its process.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

import anyio
import anyio.abc
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import FlowRun, StateType, WorkPool
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import InfrastructureNotFound, ObjectNotFound
from prefect.states import AwaitingRetry, Cancelled
from prefect.workers.base import BaseJobConfiguration, BaseWorker, BaseWorkerResult

from cartum_roapp import place
from cartum_roapp.sync.sentence import CANCELED
from deployments.run_process import RunProcess
from deployments.run_thread import RunThread, own_flow

POOL_TYPE = "cartum-roapp"

SYNC, NIGHT = "incremental-sync", "reconcile"
#: How many runs go at once. Those that may take hours have places of their own, so have the nights of all shops, and
#: those that people start and wait for. A run holds about five connections to the database.
SYNCS, LONG, NIGHTS, OTHERS = 20, 5, 3, 2
_LONG = {"initial-import", "backfill"}
#: So many more may wait for another run or for a shop's quota, and go on after that: they have left their places.
ASIDE = 10
_LOOK = 3.0  # seconds


async def _nothing(id: UUID) -> None:
    pass


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
    """Polls its work pool like any worker of Prefect. `runs` has its present runs by flow run id. `on_killed` is called
    with the id of a run whose process was killed."""

    type = POOL_TYPE
    job_configuration = RunConfiguration
    _description = "Runs syncs of cartum-roapp in the worker's process, and each long run in a process of its own."
    _display_name = "Cartum → RO App"

    def __init__(self, *args: Any, on_killed: Callable[[UUID], Awaitable[None]] = _nothing, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.runs: dict[UUID, RunThread | RunProcess] = {}
        self._on_killed = on_killed
        self._places = {SYNC: asyncio.Semaphore(SYNCS), NIGHT: asyncio.Semaphore(NIGHTS)}
        self._places |= dict.fromkeys(_LONG, asyncio.Semaphore(LONG))
        self._others = asyncio.Semaphore(OTHERS)
        self._aside = 0

    async def run(
        self,
        flow_run: FlowRun,
        configuration: RunConfiguration,
        task_status: anyio.abc.TaskStatus[int] | None = None,
    ) -> InProcessResult:
        """Runs the flow to its end. Errors of the flow are recorded in the run and not raised."""
        flow = own_flow(configuration.entrypoint)
        is_sync = flow.name == SYNC
        run = RunThread(flow, flow_run, is_short=True) if is_sync else RunProcess(configuration.entrypoint, flow_run)
        self.runs[flow_run.id] = run
        if task_status is not None:
            task_status.started(flow_run.id.int)
        await self._due(run)
        places = self._places.get(flow.name, self._others)
        if await _acquired(places, run):
            with self._placed(places):
                await run.run()
        if isinstance(run, RunProcess) and run.killed:
            await self._on_killed(flow_run.id)
        # Not reached in a worker that is stopped: `close` ends the runs that are left in `runs`.
        del self.runs[flow_run.id]
        await _set_ending(run)
        return InProcessResult(status_code=0, identifier=str(flow_run.id))

    async def _due(self, run: RunThread | RunProcess) -> None:
        """Returns at the time for which the run is scheduled, or when it is stopped. It was fetched a little earlier,
        and Prefect's server would make it wait and ask again."""
        until = run.flow_run.next_scheduled_start_time or datetime.now(UTC)
        early = min((until - datetime.now(UTC)).total_seconds(), self._prefetch_seconds)
        while early > 0 and run.ending is None:
            await asyncio.sleep(min(early, 1.0))
            early -= 1.0

    async def _propose_submitting_state(self, flow_run: FlowRun) -> None:
        """Leaves out a state between *Pending* and *Running*: a state is an event, too, and costs the server most."""

    def _emit_flow_run_submitted_event(self, configuration: BaseJobConfiguration) -> None:
        """Leaves out this event, and so the one at the end: the run's states have events of their own."""

    @contextmanager
    def _placed(self, places: asyncio.Semaphore) -> Iterator[None]:
        """Gives the place back after the body, or when the run in it leaves it."""
        loop, held = asyncio.get_running_loop(), True

        def step_aside() -> None:
            nonlocal held
            if held and self._aside < ASIDE:
                held, self._aside = False, self._aside + 1
                places.release()

        def leave() -> None:
            with suppress(RuntimeError):  # the worker has ended
                loop.call_soon_threadsafe(step_aside)

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
        run = self.runs.get(UUID(int=int(infrastructure_pid)))
        if run is None:
            raise InfrastructureNotFound("this worker has no such run")
        run.stop(Cancelled(message="Cancelled before it began."))

    async def watch_cancellations(self) -> None:
        """Ends the runs that a person cancels in the UI, within seconds. Never returns."""
        while True:
            await asyncio.sleep(_LOOK)
            if self.runs:
                with suppress(Exception):  # the server is down: runs go on, and the next try asks it again
                    for id in await _cancelling(self.client, self.runs):
                        if run := self.runs.get(id):
                            run.stop(Cancelled(message=CANCELED))

    async def close(self, timeout: float) -> bool:
        """Ends all runs; the next worker continues them. Returns False if one still runs after `timeout` seconds. To be
        called after the worker stopped polling."""
        for run in self.runs.values():
            run.stop(AwaitingRetry(message="The worker was stopped. The next one goes on with this run."))
        deadline = time.monotonic() + timeout
        over = True
        for run in list(self.runs.values()):
            over &= await asyncio.to_thread(run.over, max(0.0, deadline - time.monotonic()))
            await _set_ending(run)
        return over


async def _acquired(places: asyncio.Semaphore, run: RunThread | RunProcess) -> bool:
    """Waits for one of the places. Returns whether the run has it: not where it was stopped before."""
    got = asyncio.ensure_future(places.acquire())
    try:
        while run.ending is None and not got.done():
            await asyncio.wait({got}, timeout=1.0)
    finally:
        waits = got.cancel()
    return not waits


async def _set_ending(run: RunThread | RunProcess) -> None:
    """Sets the state of a stopped run, unless the run ended by itself before."""
    if run.ending is None:
        return
    async with get_client() as client:
        try:
            state = (await client.read_flow_run(run.flow_run.id)).state
            # A run that somebody suspended waits for a person, whether there is a worker or not.
            if state is None or state.is_crashed() or not (state.is_final() or state.is_paused()):
                await client.set_flow_run_state(run.flow_run.id, run.ending, force=True)
        except ObjectNotFound:
            pass


async def _cancelling(client: PrefectClient, ids: Iterable[UUID]) -> list[UUID]:
    wanted = FlowRunFilter(
        id=FlowRunFilterId(any_=list(ids)),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.CANCELLING])),
    )
    return [run.id for run in await client.read_flow_runs(flow_run_filter=wanted)]
