"""Runs whose process was killed: nobody is left to end them, so they would stand in the UI as running for ever."""

from __future__ import annotations

from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.states import Crashed
from sqlalchemy import Engine

from cartum_roapp.ledger import runs


async def mark_crashed(engine: Engine) -> int:
    """Marks them Crashed in Prefect and in the ledger; gives how many. May be called twice, and while others run."""
    marked = 0
    for run in runs.unfinished(engine):
        if runs.is_alive(engine, run.id):
            continue
        async with get_client() as client:
            try:
                state = Crashed(message="The process of this run was killed.")
                await client.set_flow_run_state(UUID(run.id), state, force=True)
            except ObjectNotFound:
                pass
        runs.finish(engine, run.id, state="crashed", counts={}, error="The process of this run was killed.")
        marked += 1
    return marked
