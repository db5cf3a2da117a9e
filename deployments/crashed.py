"""Ends runs whose process was killed: without this the UI would show them as running for ever.

Functions are idempotent.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from prefect import State
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
    TaskRunFilter,
    TaskRunFilterState,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType, WorkerStatus
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Crashed
from sqlalchemy import Engine

from blocks.pages import every_row
from cartum_roapp.ledger import backfills, runs
from deployments.pool import work_pool_name
from tasks.tags import TAG

#: Long before this time the ledger knows a run that lives, and Prefect knows that a run has finished.
GRACE = timedelta(minutes=2)
#: Prefect's server, if it is there, hears of the end of a run within this time after the ledger.
SOON = timedelta(seconds=5)
WHY = "The process of this run was killed."
WORKER_LABEL = "prefect.worker.name"
#: The label of the command line's runs.
TYPED = "cartum-roapp.typed"

_UNDER_WAY = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]


async def mark_crashed(
    engine: Engine,
    *,
    mine: Collection[UUID] = (),
    worker: str | None = None,
    has_begun: bool = True,
    killed: UUID | None = None,
) -> list[FlowRun]:
    """Marks dead runs as crashed in Prefect and in the ledger. Returns those that Prefect knew. A run counts as alive,
    in any process, if it holds a lock in the ledger, is one of `mine`, or is younger than GRACE. One that waits for a
    place at another worker, or is about to begin there, is alive while that worker is online.

    `worker` names the worker that asks, which knows its own runs. If it has not begun, it has none yet: the runs of its
    predecessor of the same name are marked at once, as is a run that is known to be `killed`.
    """
    dead = {run.id for run in runs.unfinished(engine) if not runs.is_alive(engine, run.id)} - {str(id) for id in mine}
    dead |= {str(killed)} - {"None"}
    marked: list[FlowRun] = []
    async with get_client() as client:
        others = await online(client) - {worker}
        ended = None if has_begun else worker
        for run in await _under_way(client):
            if run.labels.get(WORKER_LABEL) in others and _may_begin(engine, run):
                dead.discard(str(run.id))
            elif run.id not in mine and (str(run.id) in dead or _is_forgotten(engine, run, ended)):
                if _is_canceled(run):
                    backfills.cancel_of(engine, str(run.id))
                await _end(client, run)
                marked.append(run)
                dead.add(str(run.id))
        for id in dead - {str(run.id) for run in marked}:
            marked += await _end_unknown(client, UUID(id), is_killed=UUID(id) == killed)
    for id in dead:
        runs.finish(engine, id, state="crashed", counts={}, error=WHY)
    return marked


async def online(client: PrefectClient) -> set[str]:
    """Returns the names of the work pool's workers that Prefect hears of."""
    with suppress(ObjectNotFound):
        found = await client.read_workers_for_work_pool(work_pool_name())
        return {one.name for one in found if one.status == WorkerStatus.ONLINE}
    return set()


async def start_again(dead: Collection[FlowRun]) -> None:
    """Starts these runs again, except those of the command line, which are its caller's. Scheduled ones come again
    anyway, and canceled ones are over. Imports and backfills become new runs, which continue where the old ones
    stopped."""
    async with get_client() as client:
        for run in dead:
            if run.deployment_id is None or run.auto_scheduled or TYPED in run.labels or _is_canceled(run):
                continue
            try:
                await client.create_flow_run_from_deployment(
                    run.deployment_id, parameters=run.parameters, idempotency_key=f"goes on: {run.id}"
                )
            except ObjectNotFound:
                pass


def _may_begin(engine: Engine, run: FlowRun) -> bool:
    """Returns whether the run need not hold a lock in the ledger yet."""
    return (run.state is not None and run.state.is_pending()) or runs.find(engine, str(run.id)) is None


def _is_forgotten(engine: Engine, run: FlowRun, worker: str | None) -> bool:
    """Returns whether no process can still work on this run, which Prefect has as pending or running."""
    if runs.is_alive(engine, str(run.id)):
        return False
    if worker is not None and run.labels.get(WORKER_LABEL) == worker:
        return True
    known = runs.find(engine, str(run.id))
    if worker is not None and known is not None and known.finished_at is not None:
        # Prefect's server was gone when it ended, like in `down`.
        return datetime.now(UTC) - known.finished_at > SOON
    since = known.finished_at if known else run.state.timestamp if run.state else run.created
    return since is not None and datetime.now(UTC) - since > GRACE


async def _under_way(client: PrefectClient) -> list[FlowRun]:
    wanted = FlowRunFilter(
        tags=FlowRunFilterTags(all_=[TAG]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_UNDER_WAY)),
    )
    return await every_row(
        lambda limit, offset: client.read_flow_runs(
            flow_run_filter=wanted, limit=limit, offset=offset, sort=FlowRunSort.ID_DESC
        )
    )


async def _end(client: PrefectClient, run: FlowRun) -> None:
    await _set(client, run.id, Cancelled(message=WHY) if _is_canceled(run) else Crashed(message=WHY))
    tasks = await client.read_task_runs(
        flow_run_filter=FlowRunFilter.model_validate({"id": {"any_": [run.id]}}),
        task_run_filter=TaskRunFilter(
            state=TaskRunFilterState(type=TaskRunFilterStateType(any_=[StateType.PENDING, StateType.RUNNING]))
        ),
    )
    for task in tasks:
        await client.set_task_run_state(task.id, Crashed(message=WHY), force=True)


async def _end_unknown(client: PrefectClient, id: UUID, *, is_killed: bool) -> list[FlowRun]:
    """Ends a dead run that is not under way in Prefect: one that waits to be tried again, or is final, stays as it is.
    Returns it if it crashed because its process was killed."""
    try:
        run = await client.read_flow_run(id)
    except ObjectNotFound:
        return []
    if run.state is None or not (run.state.is_scheduled() or run.state.is_final()):
        await _set(client, id, Crashed(message=WHY))
    return [run] if is_killed and run.state is not None and run.state.is_crashed() else []


def _is_canceled(run: FlowRun) -> bool:
    """Returns whether a person canceled it before its process died."""
    return run.state is not None and run.state.is_cancelling()


async def _set(client: PrefectClient, id: UUID, state: State[Any]) -> None:
    try:
        await client.set_flow_run_state(id, state, force=True)
    except ObjectNotFound:
        pass
