"""Takes over what is new or changed in a shop, every five minutes."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from prefect import flow

from cartum_roapp.apis.cartum import Cartum
from cartum_roapp.errors import IntegrationError, NotReady
from cartum_roapp.ledger.orders import Priority
from cartum_roapp.sync import sentence
from cartum_roapp.sync.changes import ByNumber, fetch_changes
from cartum_roapp.sync.quota import within_quota
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.upsert import Reading
from cartum_roapp.sync.window import already_read, classify_statuses, select_rows
from cartum_roapp.sync.write_back import both_ways
from tasks.deliver import LEFTOVERS, deliver
from tasks.ending import final_state
from tasks.frames import parts, to_frames
from tasks.parameters import SHOP
from tasks.run import open_run, settings_of
from tasks.steps import upsert_task, write_back_task
from tasks.summary import summarize


@flow(name="incremental-sync", flow_run_name="{shop}: sync", persist_result=False)
@final_state(sentence.of_run)
async def incremental_sync(shop: Annotated[str, SHOP]) -> dict[str, Any]:
    """Reads a shop three times, because it has no "updated since": orders created since the watermark, open orders of
    the trailing window, and by number those that the ledger believes open or final for less than 14 days.

    If statuses go both ways, a status that staff set in RO App goes to the shop at the end. A run without changes
    writes nothing and makes no write calls. A sync may run at the same time as the import. A scheduled sync ends
    immediately if another sync of the shop is under way; one that a person started waits up to a minute for it. What is
    not delivered after some minutes is left to the next sync. If the shop can't be read, what the ledger has is still
    delivered; then the run fails.
    """
    async with open_run(await settings_of(shop), "incremental-sync") as run:
        return await sync_changes(run)


async def sync_changes(run: Run, rest: timedelta = LEFTOVERS) -> dict[str, Any]:
    """The steps of the flow. Returns the run's counts. `rest`: how long, from the run's start, it also delivers orders
    that an import left."""
    async with run.only_sync():
        unread = await read_shop(run)
        until = run.delivers_until()
        outcome = await deliver(run, upto=Priority.CHANGE, rest_until=run.started + rest, until=until)
        if unread is not None:
            raise unread
        if both_ways(run):
            await write_back_task(run)
        return await summarize(run, {"follow": outcome.waiting} if outcome.waiting else None)


async def read_shop(run: Run) -> IntegrationError | None:
    """Reads the shop, unless another run has since this one was due. Returns why it could not be read. Raises NotReady
    before the first import, which delivers what it stores."""
    try:
        with within_quota():
            async with run.reading() as api:
                if not already_read(run):
                    await read_changes(run, api)
    except NotReady:
        raise
    except IntegrationError as error:
        return error
    return None


async def read_changes(run: Run, api: Cartum) -> None:
    """Reads into the ledger what is new or changed, part by part."""
    statuses, named = await classify_statuses(run, api), ByNumber()
    async for rows, last in parts(fetch_changes(run, api, statuses, named), "changes"):
        frames, bad = await to_frames(run, api, select_rows(run, rows, statuses.successful))
        missing = named.missing if last else ()
        reading = Reading(frames, bad, statuses.final, missing, named.asked, successful=statuses.successful)
        upsert_task(run, reading, new_as=Priority.FRESH, watermark=run.started if last else None)
