"""Takes orders that a person names by dates, statuses or order numbers: the usual steps, with the lowest priority."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from prefect import flow
from pydantic import Field

from cartum_roapp.ledger.orders import Priority
from cartum_roapp.sync import sentence
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.selection import Selection, selection
from cartum_roapp.sync.upsert import Reading
from cartum_roapp.sync.window import classify_statuses
from tasks.deliver import deliver_task
from tasks.ending import told
from tasks.frames import to_frames
from tasks.names import named, of_backfill
from tasks.run import open_run, settings_of
from tasks.steps import fetch_selection_task, plan_task, upsert_task
from tasks.summary import show_plan_task, summarize_task


@flow(name="backfill", flow_run_name=named(of_backfill), persist_result=False)
@told(sentence.of_backfill)
async def backfill(
    shop: Annotated[str, Field(title="Shop", description="The shop's slug", max_length=48)],
    created_from: Annotated[date | None, Field(title="From", description="First day, on the shop's clock")] = None,
    created_to: Annotated[date | None, Field(title="To", description="Last day, on the shop's clock")] = None,
    statuses: Annotated[list[int] | None, Field(title="Statuses", description="Only orders in these statuses")] = None,
    numbers: Annotated[list[str] | None, Field(title="Order numbers", description="Only these orders")] = None,
    dry_run: Annotated[bool, Field(title="Dry run", description="Show what RO App would get, send nothing")] = False,
) -> dict[str, Any]:
    """Reads the named orders again, however old and in whatever status, and delivers what is new or changed
    below everything else. Names dates, statuses or numbers; several narrow each other."""
    settings = await settings_of(shop)
    wanted = selection(settings.shop, created_from, created_to, statuses, numbers)
    async with open_run(settings, "backfill") as run:
        return await bring_selection(run, wanted, dry_run=dry_run)


async def bring_selection(run: Run, wanted: Selection, *, dry_run: bool = False) -> dict[str, Any]:
    """The steps of the flow. Returns the run's counts, or a dry run's plan."""
    async with run.reading() as api:
        known = await classify_statuses(run, api)
        frames, bad = await to_frames(run, api, await fetch_selection_task(api, wanted))
        if dry_run:
            return await show_plan_task(run, plan_task(run, frames, bad))
        reading = Reading(frames, bad, known.final)
        upsert_task(run, reading, new_as=Priority.BACKFILL, changed_as=Priority.BACKFILL)
    await deliver_task(run, upto=Priority.BACKFILL)
    return await summarize_task(run)
