"""Scheduled runs that piled up while no worker was there: one of them reads all that the others would have read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from prefect import State
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowRunFilter,
    FlowRunFilterNextScheduledStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled

from deployments.pool import TAG
from tasks.deliver import SYNC_EVERY
from tasks.schedule import SCHEDULED

_PAGE = 200


async def cancel_pile() -> int:
    """Cancels all late runs of each schedule but the last one; gives how many. May be called twice."""
    last: dict[UUID | None, FlowRun] = {}
    canceled = 0
    async with get_client() as client:
        for run in await _late():
            newer = last.setdefault(run.deployment_id, run)
            if newer is run:
                continue
            try:
                state: State[Any] = Cancelled(message="It is late, and a later run reads the same.")
                await client.set_flow_run_state(run.id, state, force=True)
            except ObjectNotFound:
                continue
            canceled += 1
    return canceled


async def _late() -> list[FlowRun]:
    """Scheduled runs that are late by more than half an interval, the latest first."""
    wanted = FlowRunFilter(
        tags=FlowRunFilterTags(all_=[TAG]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
        next_scheduled_start_time=FlowRunFilterNextScheduledStartTime(before_=datetime.now(UTC) - SYNC_EVERY / 2),
    )
    flow = FlowFilter.model_validate({"name": {"any_": list(SCHEDULED)}})
    found: dict[UUID, FlowRun] = {}
    async with get_client() as client:
        while page := await client.read_flow_runs(
            flow_filter=flow, flow_run_filter=wanted, limit=_PAGE, offset=len(found),
            sort=FlowRunSort.EXPECTED_START_TIME_DESC,
        ):  # fmt: skip
            found.update((run.id, run) for run in page)
            if len(page) < _PAGE:
                break
    return list(found.values())
