"""Editing a shop in Prefect's UI: the same checks as `cartum-roapp shop edit`, form by form."""

from __future__ import annotations

from typing import Annotated, Any

from prefect import flow

from blocks.store import list_shops, load_shop
from deployments import doors, shops
from tasks.connecting import ask_what_is_open, tell_changed
from tasks.draft import draft_of
from tasks.form import asked
from tasks.which import which_shop


@flow(name="edit-shop", flow_run_name="{shop}: edit", persist_result=False)
async def edit_shop(
    shop: Annotated[str, asked("Shop", "The shop's short name", max_length=48)],
) -> dict[str, Any]:
    """Shows a shop's settings to be changed and checks them against both systems. They take effect on the next run;
    nothing is imported twice. The run waits for each form: press **Resume**."""
    with doors.opened() as access:
        slug = await which_shop(shop, await list_shops())
        asked_for = (await draft_of(await load_shop(slug), access)).shop
        await ask_what_is_open(asked_for)
        config = asked_for.config()
        await shops.change(config, asked_for.company)
        await shops.forget_logins(config)
        return await tell_changed(config)
