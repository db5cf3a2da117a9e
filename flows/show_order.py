"""Shows all that is known of one order, and what happened to it."""

from __future__ import annotations

from typing import Annotated, Any

from prefect import flow

from cartum_roapp.sync import sentence
from tasks.ending import told
from tasks.form import parameter
from tasks.order import show_story_task
from tasks.run import settings_of
from tasks.steps import find_order_task


@flow(name="show-order", flow_run_name="{shop}: order {number}", persist_result=False)
@told(sentence.of_order)
async def show_order(
    shop: Annotated[str, parameter("Shop", "The shop's short name", max_length=48)],
    number: Annotated[str, parameter("Order number", "The order's number in the shop", max_length=48)],
) -> dict[str, Any]:
    """Where the order stands in the shop and in RO App, what is held of it, and each change, call and delivery since it
    was first seen. Reads the ledger alone, and names no buyer."""
    return await show_story_task(find_order_task(await settings_of(shop), number))
