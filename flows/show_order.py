"""Shows all that is known of one order, and what happened to it."""

from __future__ import annotations

from typing import Annotated, Any

from prefect import flow

from cartum_roapp.held_words import NUMBER
from cartum_roapp.sync import order_story, sentence
from tasks.ending import checked_input, final_state
from tasks.form import SHOP, parameter
from tasks.order import show_story_task
from tasks.run import settings_of


@flow(name="show-order", flow_run_name="{shop}: order {number}", persist_result=False)
@final_state(sentence.of_order)
async def show_order(
    shop: Annotated[str, SHOP] = "",
    number: Annotated[str, parameter("Order number", NUMBER)] = "",
) -> dict[str, Any]:
    """Where the order stands in the shop and in RO App, what is held of it, and each change, call and delivery since it
    was first seen. Reads only the ledger, and names no buyer."""
    with checked_input(shop=shop, number=number):
        story = order_story.of_shop(await settings_of(shop), number)
    return await show_story_task(story)
