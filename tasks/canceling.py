"""Runs that a person cancels in Prefect's UI. A backfill ends with such a run; where a run breaks off, it does not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from prefect import State
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.runtime import flow_run
from prefect.states import Cancelled

from cartum_roapp.ledger import backfills
from cartum_roapp.ledger.backfills import Canceled
from cartum_roapp.sync.backfill import OpenBackfill, became
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.sentence import CANCELED
from tasks.summary import summarize

log = logging.getLogger(__name__)


@asynccontextmanager
async def cancelable(run: Run, backfill: OpenBackfill) -> AsyncIterator[None]:
    """Leaves the body quietly where the backfill is canceled on the command line. Where the run is canceled, cancels
    the backfill and writes the run's summary, as nothing after the body runs."""
    try:
        yield
    except Canceled as error:
        log.info("%s", error.message)
    except asyncio.CancelledError:
        if await is_canceled_by_a_person():
            backfills.cancel(run.engine, backfill.id)
            await _summarize(run, backfill)
        raise


async def _summarize(run: Run, backfill: OpenBackfill) -> None:
    run.count_delivered()
    try:
        await summarize(run, became(run, backfill))
    except Exception as error:  # noqa: BLE001 - the run ends as canceled all the same
        log.warning("the summary of the canceled run is not written (%s)", type(error).__name__)


async def note_canceled() -> None:
    """Sets the state of this run, if a person canceled it. Prefect's engine would set *Crashed* first, and an open page
    of the run would keep showing that. To be called last in the run."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None or not await is_canceled_by_a_person():
        return
    state: State[None] = Cancelled(message=CANCELED)
    try:
        async with get_client() as client:
            await client.set_flow_run_state(context.flow_run.id, state, force=True)
    except Exception as error:  # noqa: BLE001 - the worker sets it, too, when the run is over
        log.warning("Prefect does not know yet that the run is canceled (%s)", type(error).__name__)
    else:
        context.flow_run.state = state  # the engine leaves a run that has ended as it is


async def is_canceled_by_a_person() -> bool:
    """Returns whether this run was canceled in Prefect's UI. False where the worker or the terminal ends it, and where
    Prefect can't be asked."""
    id = flow_run.get_id()
    if id is None:
        return False
    try:
        async with get_client() as client:
            state = (await client.read_flow_run(UUID(str(id)))).state
    except Exception as error:  # noqa: BLE001 - the run ends all the same; `backfill cancel` empties its queue
        log.warning("nobody knows whether this run was canceled by a person (%s)", type(error).__name__)
        return False
    return state is not None and (state.is_cancelling() or state.is_cancelled())
