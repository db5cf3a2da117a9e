"""Removes scheduled runs that nobody needs. Of those that became late while no worker ran, the last one reads all that
the others would read. Of paused and of deleted schedules no run is needed.

All functions are idempotent.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from prefect import State
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowFilter, FlowRunFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled

from blocks.pages import every_row
from deployments.pool import deployments
from tasks.deliver import SYNC_EVERY
from tasks.schedule import SCHEDULED
from tasks.tags import TAG


async def cancel_backlog() -> int:
    """Cancels all late runs of each schedule except the last one. Returns their number. What a person started stays."""
    last: dict[UUID | None, FlowRun] = {}
    canceled = 0
    async with get_client() as client:
        for run in await _late(client):
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


class Unneeded:
    """The scheduled runs of paused schedules, and of deployments that were deleted since the last look.

    Prefect's server deletes them when a schedule is paused or a deployment deleted, but it plans and stores runs in two
    steps: it may still store runs that it planned just before."""

    def __init__(self) -> None:
        self._known: set[UUID] = set()
        self._deleted: set[UUID] = set()

    async def clear(self) -> int:
        """Deletes them. Returns their number. Runs of a paused schedule that a person scheduled stay."""
        ours = await deployments()
        ids = {one.id for one in ours}
        self._deleted = (self._deleted | self._known) - ids
        self._known = ids
        paused = {one.id for one in ours if one.schedules and not any(schedule.active for schedule in one.schedules)}
        if not (unneeded := paused | self._deleted):
            return 0
        is_planned = {"name": {"any_": ["Scheduled", "Late"]}}
        planned = FlowRunFilter.model_validate({"deployment_id": {"any_": list(unneeded)}, "state": is_planned})
        async with get_client() as client:
            found = await every_row(
                lambda limit, offset: client.read_flow_runs(
                    flow_run_filter=planned, limit=limit, offset=offset, sort=FlowRunSort.ID_DESC
                )
            )
            cleared = [run for run in found if run.auto_scheduled or run.deployment_id in self._deleted]
            for run in cleared:
                with suppress(ObjectNotFound):
                    await client.delete_flow_run(run.id)
        return len(cleared)


async def _late(client: PrefectClient) -> list[FlowRun]:
    """Returns the schedules' runs that are late by more than half an interval, the one that is due last first."""
    wanted = FlowRunFilter.model_validate({
        "tags": {"all_": [TAG]}, "state": {"type": {"any_": [StateType.SCHEDULED]}},
        "next_scheduled_start_time": {"before_": datetime.now(UTC) - SYNC_EVERY / 2},
    })  # fmt: skip
    flow = FlowFilter.model_validate({"name": {"any_": list(SCHEDULED)}})
    found = await every_row(
        lambda limit, offset: client.read_flow_runs(
            flow_filter=flow, flow_run_filter=wanted, limit=limit, offset=offset, sort=FlowRunSort.ID_DESC
        )
    )
    found = [run for run in found if run.auto_scheduled]
    return sorted(found, key=lambda run: run.expected_start_time or datetime.min.replace(tzinfo=UTC), reverse=True)
