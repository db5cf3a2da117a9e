"""The first import of a shop: orders of two months, except those that are Delivered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from prefect import flow

from cartum_roapp.ledger.orders import Priority
from cartum_roapp.sync import sentence
from cartum_roapp.sync.fetch import fetch_created
from cartum_roapp.sync.quota import outlasting_quota
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.upsert import Reading
from cartum_roapp.sync.window import classify_statuses, close_window, freeze_window, select_rows
from tasks import schedule
from tasks.deliver import deliver
from tasks.ending import final_state
from tasks.frames import parts, to_frames
from tasks.names import of_days
from tasks.parameters import SHOP
from tasks.run import open_run, settings_of
from tasks.steps import upsert_task
from tasks.summary import summarize


@flow(name="initial-import", flow_run_name="{shop}: initial import", persist_result=False)
@final_state(sentence.of_run)
async def initial_import(shop: Annotated[str, SHOP]) -> dict[str, Any]:
    """Imports the orders of the two calendar months before the first start, with their customers and products.

    The window is fixed at the first start. A run that was killed continues where it stopped. If the shop was already
    imported, the same window is read again. Once the window is in the ledger, the shop's schedule becomes active.
    Orders that are still to be delivered follow after fresh orders.
    """
    async with open_run(await settings_of(shop), "initial-import") as run:
        return await import_window(run)


async def import_window(run: Run) -> dict[str, Any]:
    """The steps of the flow. Returns the run's counts."""
    await store_window(run)
    await schedule.start(run.engine, run.shop.key)
    await deliver(run, upto=Priority.HISTORY)
    return await summarize(run)


async def store_window(run: Run) -> None:
    """Reads the window into the ledger, week by week."""
    stored_until: datetime | None = None
    async for attempt in outlasting_quota():
        with attempt:
            async with run.reading() as api:
                window = freeze_window(run)
                statuses = await classify_statuses(run, api)
                for since, until in window.slices(stored_until):
                    pages, week = fetch_created(api, since, until, run.zone), of_days(since, until, run.zone)
                    async for rows, last in parts(pages, week):
                        frames, bad = await to_frames(run, api, select_rows(run, rows, statuses.successful))
                        reading = Reading(frames, bad, statuses.final, successful=statuses.successful)
                        upsert_task(run, reading, new_as=Priority.HISTORY, slice_end=until if last else None)
                    stored_until = until
                close_window(run)
