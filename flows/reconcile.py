"""Compares shop, ledger and RO App, every night."""

from __future__ import annotations

import time
from typing import Annotated, Any

from prefect import flow

from cartum_roapp.apis.cartum import Cartum
from cartum_roapp.ledger.orders import Priority
from cartum_roapp.sync import sentence
from cartum_roapp.sync.fetch import Found
from cartum_roapp.sync.quota import outlasting_quota
from cartum_roapp.sync.reconciliation import Portion, Sides, add_part, confirmed, fetch_portion, portions, read_ledger
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.window import Statuses, classify_statuses, compared_orders, select_rows
from tasks.deliver import deliver
from tasks.ending import checked_input, final_state
from tasks.frames import parts, to_frames
from tasks.names import named, of_days, of_reconciliation
from tasks.parameters import SHOP, parameter
from tasks.report import show_report_task
from tasks.run import open_run, settings_of
from tasks.steps import (
    compare_roapp_task,
    compare_shop_task,
    put_right_task,
    read_roapp_task,
    remember_reported_task,
    store_task,
)

#: Seconds that no other run reads the shop; then syncs have their turn.
TURN = 60.0


@flow(name="reconcile", flow_run_name=named(of_reconciliation), persist_result=False)
@final_state(sentence.of_comparison)
async def reconcile(
    shop: Annotated[str, SHOP],
    repair: Annotated[bool, parameter("Repair", "Correct what is safe to correct; otherwise only report")] = False,
    gone: Annotated[bool, parameter("Gone", "Treat all orders missing from the shop as deleted, however many")] = False,
    everything: Annotated[bool, parameter("All orders", "Compare all orders, not only those whose turn it is")] = False,
) -> dict[str, Any]:
    """Compares counts, sums and numbers of orders on the three sides, and finds what is missing or differs. It compares
    the orders of the last two months, those that are open or have been final for less than 60 days, and older months
    in turn, each once in a calendar month. With `everything`, it compares all of them.

    With `repair`, what is safe to correct goes through ledger and outbox as usual, and the rest is held for a person.
    Nothing is deleted. Without `repair`, nothing is written. If very many orders are missing in the shop at once, its
    user has probably lost rights; they count as deleted only with `gone`.
    """
    settings = await settings_of(shop)
    with checked_input():
        confirmed(settings.shop, repair=repair, gone=gone)
    async with open_run(settings, "reconcile") as run:
        return await compare_sides(run, repair=repair, gone=gone, everything=everything)


async def compare_sides(
    run: Run, *, repair: bool = False, gone: bool = False, everything: bool = False
) -> dict[str, Any]:
    """The steps of the flow. Returns the report."""
    scope = compared_orders(run, everything=everything)
    sides = Sides(await read_roapp_task(run, scope, repair=repair), scope, repair, gone)
    await read_shop(run, sides)
    await compare_roapp_task(run, sides)
    if repair:
        put_right_task(run, sides)
        await deliver(run, upto=Priority.CHANGE)
    report = await show_report_task(run, sides)
    if repair:
        remember_reported_task(run, sides)
    return report


async def read_shop(run: Run, sides: Sides) -> None:
    """Reads the shop portion by portion, and compares each with the ledger. Syncs read the shop in between."""
    left = portions(run, sides.scope)
    async for attempt in outlasting_quota():
        with attempt:
            while left:
                async with run.reading() as api:
                    statuses = await classify_statuses(run, api)
                    read_ledger(run, sides, statuses.final)
                    until = time.monotonic() + TURN
                    for portion in tuple(left):
                        await compare_portion(run, api, sides, portion, statuses)
                        del left[0]
                        if time.monotonic() >= until:
                            break
                if left:
                    await run.give_way()


async def compare_portion(run: Run, api: Cartum, sides: Sides, portion: Portion, statuses: Statuses) -> None:
    """Reads a portion of the shop, compares it with the ledger, and stores what differs if that is to be repaired."""
    missing: set[str] = set()
    week = of_days(*portion, run.zone) if portion else "other orders"
    async for rows, last in parts(fetch_portion(run, api, sides, portion, missing), week):
        mine = select_rows(run, rows, statuses.successful, in_roapp=sides.marked())
        frames, bad = await to_frames(run, api, mine, whole=True)
        compared = compare_shop_task(run, sides, Found(rows, missing if last else set()), frames, bad)
        if sides.repair and compared.findings:
            store_task(run, sides, frames, bad, compared.findings)
        add_part(run, sides, compared)
