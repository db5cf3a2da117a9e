"""Sends orders again, whatever was sent: those that a person names, read from the shop now, before all others; or all
orders, as the ledger has them, behind what is new."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from prefect import flow

from cartum_roapp.held_words import ALL_ORDERS, NUMBERS
from cartum_roapp.ledger.orders import Priority, resendable
from cartum_roapp.ledger.outbox import Ask
from cartum_roapp.sync import sentence
from cartum_roapp.sync.quota import outlasting_quota
from cartum_roapp.sync.resend import named as chosen_numbers
from cartum_roapp.sync.resend import outcomes
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.upsert import Reading
from cartum_roapp.sync.window import classify_statuses
from tasks.deliver import deliver
from tasks.ending import checked_input, final_state
from tasks.frames import to_frames
from tasks.names import named, of_resending
from tasks.parameters import SHOP, parameter
from tasks.run import open_run, settings_of
from tasks.steps import fetch_numbers_task, send_again_task, upsert_task
from tasks.summary import summarize


@flow(name="resend-orders", flow_run_name=named(of_resending), persist_result=False)
@final_state(sentence.of_resending)
async def resend_orders(
    shop: Annotated[str, SHOP] = "",
    numbers: Annotated[Sequence[str], parameter("Order numbers", NUMBERS)] = (),
    all_orders: Annotated[bool, parameter("All orders", ALL_ORDERS)] = False,
) -> dict[str, Any]:
    """Compares each order as a whole with RO App and corrects what differs: missing lines, quantities and prices,
    status, notes, the buyer's phones. Lines that staff added stay; once goods are written off, no line is touched."""
    with checked_input(shop=shop):
        settings = await settings_of(shop)
        chosen = chosen_numbers(settings.shop, numbers, all_orders=all_orders)
    async with open_run(settings, "resend-orders") as run:
        return await (agree_anew(run) if all_orders else send_orders_again(run, chosen))


async def agree_anew(run: Run) -> dict[str, Any]:
    """Sends all orders again but leaves what staff may have set. Returns as `send_orders_again`."""
    numbers = resendable(run.engine, run.shop.key)
    send_again_task(run, numbers, Ask.AGREE)
    await deliver(run, upto=Priority.HISTORY)
    return await summarize(run, {"resent": outcomes(run, numbers, ())})


async def send_orders_again(run: Run, numbers: Sequence[str]) -> dict[str, Any]:
    """The steps of the flow for named orders. Returns the run's counts, and what became of each order."""
    missing: set[str] = set()
    async for attempt in outlasting_quota():
        with attempt:
            async with run.reading() as api:
                known = await classify_statuses(run, api)
                found = await fetch_numbers_task(api, numbers)
                frames, bad = await to_frames(run, api, found.rows, whole=True)
                reading = Reading(frames, bad, known.final)
                upsert_task(run, reading, new_as=Priority.FRESH, changed_as=Priority.FRESH)
                send_again_task(run, frames.orders["number"].tolist())
                missing = found.missing
    await deliver(run, upto=Priority.FRESH)
    return await summarize(run, {"resent": outcomes(run, numbers, missing)})
