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
from prefect.client.schemas.filters import FlowRunFilter, TaskRunFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Crashed
from sqlalchemy import Engine

from blocks.pages import every_row
from cartum_roapp.ledger import backfills, runs
from tasks.tags import TAG

#: Long before this time the ledger knows a run that lives, and Prefect knows that a run has finished.
GRACE = timedelta(minutes=2)
#: A backfill may ask many shops for their statuses before the ledger knows it.
BEGINS_WITHIN = timedelta(minutes=15)
#: By which the clocks of a worker and of the database may differ.
SKEW = timedelta(seconds=10)
#: Prefect's server, if it is there, hears of the end of a run within this time after the ledger.
SOON = timedelta(seconds=5)
WHY = "The process of this run was killed, or Prefect's server was away when it ended."
WORKER_LABEL = "prefect.worker.name"

_UNDER_WAY = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]


async def end_killed(
    engine: Engine, *, mine: Collection[UUID] = (), gone: str | None = None, killed: UUID | None = None
) -> None:
    """Marks dead runs as crashed in Prefect and in the ledger, and starts those again that nothing else repeats. A run
    counts as alive, in any process, if it holds a lock in the ledger, is one of `mine`, or the ledger can't know it
    yet.

    `gone` names a worker whose process has ended: those of its runs that the ledger or a label knows are marked at
    once, as is a run that is known to be `killed`.
    """
    dead = {run.id for run in runs.unfinished(engine) if not runs.is_alive(engine, run.id)} - {str(id) for id in mine}
    dead |= {str(killed)} - {"None"}
    ended: set[str] = set()
    async with get_client() as client:
        for run in await _under_way(client):
            if run.id not in mine and (run.id == killed or _is_dead(engine, run, gone)):
                if _is_canceled(run):
                    backfills.cancel_of(engine, str(run.id))
                await _start_again(client, run)  # first: who fails between the two finds the run still under way
                await _end(client, run)
                ended.add(str(run.id))
            else:
                dead.discard(str(run.id))
        for id in dead - ended:
            await _end_unknown(client, UUID(id), is_killed=UUID(id) == killed)
    for id in dead | ended:
        runs.finish(engine, id, state="crashed", counts={}, error=WHY)


async def _start_again(client: PrefectClient, run: FlowRun) -> None:
    """Starts the run again as a new one, which continues where the old one stopped. A scheduled one comes again anyway,
    and a canceled one is over. Idempotent."""
    if run.deployment_id is None or run.auto_scheduled or _is_canceled(run):
        return
    with suppress(ObjectNotFound):
        await client.create_flow_run_from_deployment(
            run.deployment_id, parameters=run.parameters, idempotency_key=goes_on(run)
        )


def goes_on(killed: FlowRun) -> str:
    """Returns the idempotency key of the run that goes on with a killed one."""
    return f"goes on: {killed.id}"


def _is_dead(engine: Engine, run: FlowRun, gone: str | None) -> bool:
    """Returns whether no process can still work on this run, which Prefect has as pending or running."""
    known = runs.find(engine, str(run.id))  # before its lock, which it has first
    if runs.is_alive(engine, str(run.id)):
        return False
    if gone is not None and run.labels.get(WORKER_LABEL) == gone:
        return True
    assert run.state is not None
    since = run.state.timestamp
    if known is not None and known.started_at > since - SKEW:  # else the ledger knows an earlier try
        if known.finished_at is None:
            return True
        if gone is not None:
            # Prefect's server was gone when it ended, like in `down`.
            return datetime.now(UTC) - known.finished_at > SOON
        return datetime.now(UTC) - known.finished_at > GRACE
    return datetime.now(UTC) - since > (BEGINS_WITHIN if run.state.is_running() else GRACE)


async def _under_way(client: PrefectClient) -> list[FlowRun]:
    wanted = FlowRunFilter.model_validate({"tags": {"all_": [TAG]}, "state": {"type": {"any_": _UNDER_WAY}}})
    return await every_row(
        lambda limit, offset: client.read_flow_runs(
            flow_run_filter=wanted, limit=limit, offset=offset, sort=FlowRunSort.ID_DESC
        )
    )


async def _end(client: PrefectClient, run: FlowRun) -> None:
    await _set(client, run.id, Cancelled(message=WHY) if _is_canceled(run) else Crashed(message=WHY))
    tasks = await client.read_task_runs(
        flow_run_filter=FlowRunFilter.model_validate({"id": {"any_": [run.id]}}),
        task_run_filter=TaskRunFilter.model_validate({"state": {"type": {"any_": _UNDER_WAY}}}),
    )
    for task in tasks:
        await client.set_task_run_state(task.id, Crashed(message=WHY), force=True)


async def _end_unknown(client: PrefectClient, id: UUID, *, is_killed: bool) -> None:
    """Ends a dead run that is not under way in Prefect: one that waits to be tried again, or is final, stays as it is.
    One that Prefect itself has marked as crashed, since its process was killed, is started again."""
    try:
        run = await client.read_flow_run(id)
    except ObjectNotFound:
        return
    if is_killed and run.state is not None and run.state.is_crashed():
        await _start_again(client, run)
    if run.state is None or not (run.state.is_scheduled() or run.state.is_final()):
        await _set(client, id, Crashed(message=WHY))


def _is_canceled(run: FlowRun) -> bool:
    """Returns whether a person canceled it before its process died."""
    return run.state is not None and run.state.is_cancelling()


async def _set(client: PrefectClient, id: UUID, state: State[Any]) -> None:
    try:
        await client.set_flow_run_state(id, state, force=True)
    except ObjectNotFound:
        pass
