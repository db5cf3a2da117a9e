"""Runs that a person starts, and what is seen of them from outside: why one waits, which one goes on with it, its
progress, the last lines of its log."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import ArtifactFilter, FlowRunFilter, LogFilter
from prefect.client.schemas.objects import FlowRun, StateType, WorkerStatus
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import ArtifactSort, LogSort
from prefect.exceptions import ObjectNotFound

from cartum_roapp.errors import BadConfig
from deployments import shared, shops
from deployments.crashed import goes_on
from deployments.queues import PLACES
from tasks.progress import counted

_LINES = 3


async def start(
    name: str, parameters: Mapping[str, Any] | None = None, *, once: str | None = None, tags: Sequence[str] = ()
) -> FlowRun:
    """Starts a run of a deployment, "flow/name", which is made if it is missing. The deployment's own parameters and
    tags come before these. Calls with the same `once` start one run. Raises BadConfig where there is no such
    deployment."""
    found = await _find(name)
    if found is None:
        await shared.deploy()
        await shops.sync()
        found = await _find(name)
    if found is None:
        fix = "Look into the worker's log: it makes the deployments when it starts."
        raise BadConfig(f"Prefect has no deployment {name}.", fix=fix)
    async with get_client() as client:
        return await client.create_flow_run_from_deployment(
            found.id,
            parameters={**found.parameters, **(parameters or {})},
            tags=tags,
            idempotency_key=once or str(uuid4()),
        )


async def _find(name: str) -> DeploymentResponse | None:
    async with get_client() as client:
        try:
            return await client.read_deployment_by_name(name)
        except ObjectNotFound:
            return None


def successor(client: SyncPrefectClient, killed: FlowRun) -> FlowRun | None:
    """Returns the run that goes on with one whose process was killed; None while there is none."""
    key = FlowRunFilter.model_validate({"idempotency_key": {"any_": [goes_on(killed)]}})
    return next(iter(client.read_flow_runs(flow_run_filter=key)), None)


def why_it_waits(client: SyncPrefectClient, run: FlowRun) -> str:
    """Returns why no worker takes a run that is due."""
    pool, queue = str(run.work_pool_name), str(run.work_queue_name)
    try:
        found, paused = client.read_work_queue_by_name(queue, pool), client.read_work_pool(pool).is_paused
    except ObjectNotFound:
        return f"somebody deleted the work queue {queue} or its pool {pool}. `cartum-roapp down`, then `up` make them."
    if paused:
        return f"the work pool {pool} is paused. Resume it in Prefect's UI."
    if found.is_paused:
        return f"the work queue {queue} is paused. Resume it in Prefect's UI."
    polling = [one for one in client.read_workers_for_work_pool(pool) if one.status == WorkerStatus.ONLINE]
    if not polling:
        return "none polls. `cartum-roapp up` starts one."
    due = FlowRunFilter.model_validate({
        "work_queue_name": {"any_": [queue]}, "state": {"type": {"any_": [StateType.SCHEDULED]}},
        "expected_start_time": {"before_": run.expected_start_time},
    })  # fmt: skip
    places = found.concurrency_limit or len(polling) * PLACES.get(queue, 1)
    first = max(1, client.count_flow_runs(flow_run_filter=due))
    return f"all {places} places of the queue {queue} are taken. The run waits as number {first}."


def progress(client: SyncPrefectClient, run: FlowRun) -> tuple[str, int, int] | None:
    """Returns what the run did with so many orders of how many; None if it shows nothing yet."""
    shown = ArtifactFilter.model_validate({"flow_run_id": {"any_": [run.id]}, "type": {"any_": ["progress"]}})
    found = client.read_artifacts(artifact_filter=shown, sort=ArtifactSort.UPDATED_DESC, limit=1)
    return counted(found[0].description or "") if found else None


def last_lines(client: SyncPrefectClient, run: FlowRun) -> list[str]:
    """Returns the last lines of the run's log, without Prefect's own."""
    wanted = LogFilter.model_validate({"flow_run_id": {"any_": [run.id]}, "level": {"ge_": logging.INFO}})
    found = client.read_logs(log_filter=wanted, sort=LogSort.TIMESTAMP_DESC, limit=4 * _LINES)
    own = [one.message for one in found if not one.name.startswith("prefect.")]
    return own[_LINES - 1 :: -1]
