"""A worker that runs syncs in its own process, each in a thread with its own event loop, and all other flows in
processes of their own.

One process per sync would need seconds to start for every shop. One process serves hundreds of shops every five minutes
(docs/adr/0003). A long run that leaks, or burns a core, is alone in its process.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

import anyio
import anyio.abc
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import FlowRun, StateType, WorkPool
from prefect.client.schemas.responses import DeploymentResponse, WorkerFlowRunResponse
from prefect.exceptions import ObjectNotFound
from prefect.states import AwaitingRetry, Cancelled
from prefect.workers.base import BaseJobConfiguration, BaseWorker, BaseWorkerResult

from cartum_roapp import place
from cartum_roapp.sync.sentence import CANCELED
from deployments.queues import OTHERS, PLACES, SYNCS, queue_of
from deployments.run_process import RunProcess
from deployments.run_thread import RunThread, own_flow

POOL_TYPE = "cartum-roapp"

SYNC = "incremental-sync"
#: So many more may wait for another run or for a shop's quota, and go on after that: they have left their places.
ASIDE = 10
_LOOK = 3.0  # seconds
#: How many runs an answer of Prefect's server has at most.
_ANSWER = 200

#: By deployment. They change only with the version, and a worker has one version.
_entrypoints: dict[UUID, str | None] = {}


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
        return cls(name=flow_run.name, entrypoint=await _entrypoint(client, flow_run.deployment_id))


class InProcessWorker(BaseWorker[RunConfiguration, Any, InProcessResult]):
    """Polls its work pool like any worker of Prefect. `runs` has its present runs by flow run id. `on_killed` is called
    with the id of a run whose process was killed, or of whose end Prefect's server does not know."""

    type = POOL_TYPE
    job_configuration = RunConfiguration
    _description = "Runs syncs of cartum-roapp in the worker's process, and each long run in a process of its own."
    _display_name = "Cartum → RO App"

    def __init__(self, *args: Any, on_killed: Callable[[UUID], Awaitable[None]] = _nothing, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.runs: dict[UUID, RunThread | RunProcess] = {}
        self._on_killed = on_killed
        #: Of which queue the place of each run is.
        self._placed: dict[UUID, str] = {}
        #: The queues of which due runs were left at the last poll, for want of places.
        self._left: set[str] = set()
        self._polling = asyncio.Lock()

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
            task_status.started(0)  # there is nothing that could be killed before it begins
        await self._due(run)
        place.leaving.set(self._leaving(flow_run.id))
        try:
            await run.run()
        except Exception:  # no thread could be started
            del self.runs[flow_run.id]
            raise
        if run.killed:
            await self._on_killed(flow_run.id)
        # Not reached in a worker that is stopped: `close` ends the runs that are left in `runs`.
        del self.runs[flow_run.id]
        await _set_ending(run)
        await self._refill(self._placed.pop(flow_run.id, None))
        return InProcessResult(status_code=0, identifier=str(flow_run.id))

    async def _get_scheduled_flow_runs(self) -> list[WorkerFlowRunResponse]:
        """Returns the due runs that get a place here. The others stay scheduled, for this worker or another one."""
        here = self._submitting_flow_run_ids | self.runs.keys()
        self._placed = {id: kind for id, kind in self._placed.items() if id in here}
        free, found = self._free(), []
        self._left.clear()
        for one in await self._every_due_run():
            kind = await self._kind(one.flow_run)
            if one.flow_run.id in here or one.flow_run.id in self._placed:
                continue
            if free[kind] > 0:
                free[kind] -= 1
                self._placed[one.flow_run.id] = kind
                found.append(one)
            else:
                self._left.add(kind)
        return found

    async def _every_due_run(self) -> list[WorkerFlowRunResponse]:
        """Returns the due runs of the queues that are asked, by priority. Where an answer about all queues is full, it
        may be full of syncs: then each of the others is asked by itself."""
        asked, found = self._work_queues, await super()._get_scheduled_flow_runs()
        for queue in PLACES.keys() - {SYNCS} if not asked and len(found) >= _ANSWER else ():
            self._work_queues = {queue}
            found += await super()._get_scheduled_flow_runs()
        return found

    async def get_and_submit_flow_runs(self) -> list[FlowRun]:
        async with self._polling:
            self._work_queues = set()  # all
            return await super().get_and_submit_flow_runs()

    async def _refill(self, queue: str | None) -> None:
        """Polls before the next turn if runs of the queue were left, and a quarter of its places is free again."""
        if queue in self._left and 4 * self._free()[queue] >= PLACES[queue]:
            self._left.clear()
            with suppress(Exception):  # the server is down: the next turn asks it again
                async with self._polling:
                    self._work_queues = {queue}
                    await super().get_and_submit_flow_runs()

    def _free(self) -> Counter[str]:
        """Returns how many places of each queue are free."""
        free = Counter(PLACES)
        free.subtract(self._placed.values())
        return free

    async def _kind(self, run: FlowRun) -> str:
        """Returns the queue whose places the run may have. It keeps the queue that its deployment had before."""
        if run.work_queue_name in PLACES and run.work_queue_name != OTHERS:
            return run.work_queue_name
        with suppress(ObjectNotFound):
            if run.deployment_id is not None:
                return queue_of(await _entrypoint(self.client, run.deployment_id))
        return OTHERS

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

    async def _give_worker_labels_to_flow_run(self, flow_run_id: UUID) -> None:
        """Leaves out a sync's labels. They say whose a run was that is killed before the ledger knows it. Such a sync
        is found some minutes later."""
        if self._placed.get(flow_run_id) != SYNCS:
            await super()._give_worker_labels_to_flow_run(flow_run_id)

    def _leaving(self, id: UUID) -> Callable[[], None]:
        """Returns what the run calls to give its place to another one."""
        loop = asyncio.get_running_loop()

        def leave() -> None:
            if len(self.runs.keys() - self._placed.keys()) < ASIDE:
                self._placed.pop(id, None)

        def leave_soon() -> None:
            with suppress(RuntimeError):  # the worker has ended
                loop.call_soon_threadsafe(leave)

        return leave_soon

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


async def _entrypoint(client: PrefectClient, deployment: UUID) -> str | None:
    if deployment not in _entrypoints:
        _entrypoints[deployment] = (await client.read_deployment(deployment)).entrypoint
    return _entrypoints[deployment]


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
