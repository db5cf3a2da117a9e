"""Tries held records that a person names again: puts them back into the outbox, then the usual steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from prefect import flow

from cartum_roapp.held_words import ALL, CODE, DRY, ENTITY, IDS, LIMIT, MAKE_AGAIN
from cartum_roapp.ledger.entities import Entity
from cartum_roapp.ledger.held import Held
from cartum_roapp.ledger.orders import Priority
from cartum_roapp.sync import sentence
from cartum_roapp.sync.quota import outlasting_quota
from cartum_roapp.sync.replay import outcomes, select_records, unread
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.upsert import Reading
from cartum_roapp.sync.window import classify_statuses
from cartum_roapp.sync.write_back import both_ways
from tasks.deliver import deliver
from tasks.ending import checked_input, final_state
from tasks.frames import to_frames
from tasks.names import named, of_replay
from tasks.parameters import SHOP, parameter
from tasks.run import open_run, settings_of
from tasks.steps import fetch_numbers_task, put_back_task, upsert_task, write_back_task
from tasks.summary import show_choice, summarize


@flow(name="replay-held", flow_run_name=named(of_replay), persist_result=False)
@final_state(sentence.of_replay)
async def replay_held(
    shop: Annotated[str, SHOP] = "",
    ids: Annotated[list[str] | None, parameter("Records", IDS)] = None,
    entity: Annotated[Entity | None, parameter("Entity", ENTITY)] = None,
    code: Annotated[str | None, parameter("Code", CODE)] = None,
    all_held: Annotated[bool, parameter("All", ALL)] = False,
    limit: Annotated[int | None, parameter("Limit", LIMIT)] = None,
    make_again: Annotated[bool, parameter("Make again", MAKE_AGAIN)] = False,
    dry_run: Annotated[bool, parameter("Dry run", DRY)] = False,
) -> dict[str, Any]:
    """Tries held records again now: all of them, or those that match an id, entity and code."""
    with checked_input(shop=shop):
        settings = await settings_of(shop)
        chosen = select_records(settings.shop, ids, entity, code, all_held=all_held, limit=limit, make_again=make_again)
    async with open_run(settings, "replay-held", dry_run=dry_run) as run:
        return await replay_records(run, chosen, make_again=make_again, dry_run=dry_run)


async def replay_records(
    run: Run, chosen: Sequence[Held], *, make_again: bool = False, dry_run: bool = False
) -> dict[str, Any]:
    """The steps of the flow. Returns the run's counts and the outcome of each record."""
    if dry_run or not chosen:
        return await show_choice(run, chosen, dry_run=dry_run)
    missing: set[str] = set()
    if numbers := unread(chosen):
        async for attempt in outlasting_quota():
            with attempt:
                async with run.reading() as api:
                    known = await classify_statuses(run, api)
                    found = await fetch_numbers_task(api, numbers)
                    frames, bad = await to_frames(run, api, found.rows, whole=True)
                    missing = found.missing
                    reading = Reading(frames, bad, known.final, missing, asked=len(numbers))
                    upsert_task(run, reading, new_as=Priority.CHANGE)
    put_back_task(run, chosen, make_again=make_again)
    await deliver(run, upto=Priority.CHANGE)
    if both_ways(run):
        await write_back_task(run)
    return await summarize(run, {"dry_run": False, "records": outcomes(run, chosen, missing)})
