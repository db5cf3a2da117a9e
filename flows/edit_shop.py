"""Edits a shop in Prefect's UI, form by form, with the same checks as `cartum-roapp shop edit`."""

from __future__ import annotations

from typing import Annotated, Any

from prefect import flow

from blocks.store import list_shops, load_shop
from cartum_roapp.sync import sentence
from deployments import shops
from deployments.clients import open_clients
from tasks.connecting import ask_current_form, report_changed
from tasks.draft import draft_of
from tasks.ending import final_state
from tasks.form import SHOP
from tasks.shop_forms import ask_shop


@flow(name="edit-shop", flow_run_name="{shop}: edit", persist_result=False)
@final_state(sentence.of_connection)
async def edit_shop(
    shop: Annotated[str, SHOP] = "",
) -> dict[str, Any]:
    """Shows a shop's settings to be changed and checks them against both systems. They take effect on the next run;
    nothing is imported twice. The run waits for each form: press **Resume** in the menu ⋮."""
    with open_clients() as clients:
        slug = await ask_shop(shop, await list_shops())
        dialogue = (await draft_of(await load_shop(slug), clients)).shop
        await ask_current_form(dialogue)
        config = dialogue.config()
        await shops.change(config, dialogue.company_fingerprint)
        await shops.forget_logins(config)
        return await report_changed(config)
