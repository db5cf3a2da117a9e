"""Takes orders that a person names by dates, statuses or order numbers: the usual steps, with the lowest priority."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from prefect import flow

from cartum_roapp.ledger.orders import Priority
from cartum_roapp.sync import sentence
from cartum_roapp.sync.backfill import OpenBackfill, Slices, became, begin, close_reading
from cartum_roapp.sync.plan import Plan
from cartum_roapp.sync.quota import outlasting_quota
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.selection import Selection, fetch_selection
from cartum_roapp.sync.status_names import named_selection
from cartum_roapp.sync.upsert import Reading
from cartum_roapp.sync.window import Statuses, classify_statuses
from tasks.backfill_form import (
    DRY_RUN,
    FROM,
    NUMBERS,
    SHOPS,
    STATUSES,
    TO,
    named_shops,
    of_slice,
    run_name,
    start_each,
)
from tasks.canceling import cancelable
from tasks.deliver import deliver
from tasks.ending import checked_input, final_state
from tasks.frames import parts, to_frames
from tasks.plan_page import preview_task, show_plan_task
from tasks.run import open_run, settings_of
from tasks.steps import store_part_task, upsert_task
from tasks.summary import summarize


@flow(name="backfill", flow_run_name=run_name, persist_result=False)
@final_state(sentence.of_backfill)
async def backfill(
    shops: Annotated[Sequence[str], SHOPS] = (),
    created_from: Annotated[date | None, FROM] = None,
    created_to: Annotated[date | None, TO] = None,
    statuses: Annotated[list[str] | None, STATUSES] = None,
    numbers: Annotated[list[str] | None, NUMBERS] = None,
    dry_run: Annotated[bool, DRY_RUN] = False,
) -> dict[str, Any]:
    """Reads the chosen orders again, whatever their age or status, and delivers new or changed ones after everything
    else. Dates, statuses and numbers choose the orders, and can be combined; an order must match all of them. If there
    are several shops, each gets its own run."""
    with checked_input():
        found = [await settings_of(slug) for slug in named_shops(shops)]
        selected = [await named_selection(one, created_from, created_to, statuses, numbers) for one in found]
    if len(found) != 1:
        return await start_each([one.shop.slug for one in found])
    async with open_run(found[0], "backfill", dry_run=dry_run) as run:
        return await bring_selection(run, selected[0], dry_run=dry_run)


async def bring_selection(run: Run, selected: Selection, *, dry_run: bool = False) -> dict[str, Any]:
    """The steps of the flow. Returns the run's counts and what became of the backfill, or a dry run's plan."""
    if dry_run:
        return await show_plan_task(await plan_selection(run, selected), run)
    backfill = begin(run, selected)
    async with cancelable(run, backfill):
        await store_selection(run, selected, backfill)
        await deliver(run, upto=Priority.BACKFILL, backfill=backfill.id)
    return await summarize(run, became(run, backfill))


async def store_selection(run: Run, selected: Selection, backfill: OpenBackfill) -> None:
    """Reads the selection into the ledger, slice by slice. Other runs read the shop between two slices."""
    known: Statuses | None = None
    async with run.cartum() as api:
        for since, until in backfill.slices:
            if known is not None:
                await run.give_way()
            async for attempt in outlasting_quota():
                with attempt:
                    read, missing = 0, set[str]()
                    async with run.only_reader():
                        known = known or await classify_statuses(run, api)
                        pages = fetch_selection(api, selected, since, until, missing)
                        async for rows, last in parts(pages, of_slice(selected, since, until)):
                            frames, bad = await to_frames(run, api, rows)
                            reading = Reading(frames, bad, known.final, days=selected.days(since, until))
                            store_part_task(run, backfill, since if last else until, reading)
                            read += len(rows)
            backfill.missing |= missing
            backfill.slices.moved(since, empty=not read)
    close_reading(run, backfill)


async def plan_selection(run: Run, selected: Selection) -> dict[str, Any]:
    """A dry run: the same steps on a copy of the ledger, with an RO App that is only read. Returns its plan."""
    with Plan.of(run) as plan:
        async with plan.run.cartum() as api:
            known: Statuses | None = None
            slices = Slices.of(selected)
            for since, until in slices:
                async for attempt in outlasting_quota():
                    with attempt:
                        read = 0
                        known = known or await classify_statuses(plan.run, api)
                        pages = fetch_selection(api, selected, since, until, plan.missing)
                        async for rows, _ in parts(pages, of_slice(selected, since, until)):
                            frames, bad = await to_frames(plan.run, api, rows, whole=True)
                            reading = Reading(frames, bad, known.final, days=selected.days(since, until))
                            upsert_task(plan.run, reading, new_as=Priority.BACKFILL, changed_as=Priority.BACKFILL)
                            plan.add(frames, bad)
                            read += len(rows)
                slices.moved(since, empty=not read)
        return await preview_task(plan)
