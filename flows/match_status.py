"""Matches one status of a shop with one of RO App, like `cartum-roapp shop edit SLUG --set statuses.ID=ID`."""

from __future__ import annotations

from typing import Annotated, Any

from prefect import flow

from blocks.store import load_shop
from cartum_roapp.sync import sentence
from deployments import shops
from deployments.clients import open_clients
from tasks.ending import checked_input, final_state
from tasks.form import SHOP, parameter
from tasks.matches import find_match, release_matched, show_match
from tasks.tags import tag_run, tags_of


@flow(name="match-status", flow_run_name="{shop}: match of status {status}", persist_result=False)
@final_state(sentence.of_match)
async def match_status(
    shop: Annotated[str, SHOP] = "",
    status: Annotated[str, parameter("Status of the shop", "Its name, or its id.")] = "",
    roapp_status: Annotated[str, parameter("Status in RO App", "Its name, or its id.")] = "",
) -> dict[str, Any]:
    """Gives a status of the shop its counterpart. What is held for it goes through with the next sync."""
    with checked_input(shop=shop, status=status, roapp_status=roapp_status), open_clients() as clients:
        stored = await load_shop(shop)
        await tag_run(tags_of(stored))
        match = await find_match(stored, status, roapp_status, clients)
    config = await shops.match(match)
    what = f"{match.status.label} → {match.roapp_status.label}"
    return await show_match(config, what, release_matched(config))
