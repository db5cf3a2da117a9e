"""Connects a shop in Prefect's UI, form by form, with the same checks as `cartum-roapp shop add`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from prefect import flow
from prefect.runtime import flow_run

from cartum_roapp.connection.questions import SAVE_AND_IMPORT
from cartum_roapp.sync import sentence
from deployments import one_shop, shops
from deployments.clients import open_clients
from tasks.connecting import ask_current_form, report_connected
from tasks.draft import new_draft
from tasks.ending import final_state
from tasks.form import SHOP_LOGIN, AccountRef, LoginRef, parameter, setting_parameter
from tasks.tags import TAG, shop_tag, tag_run


@flow(name="connect-shop", flow_run_name="{slug}: connect", validate_parameters=False, persist_result=False)
@final_state(sentence.of_connection)
async def connect_shop(
    slug: Annotated[str, parameter("Short name", "Names the shop's runs and commands, like my-shop", max_length=48)],
    name: Annotated[str, setting_parameter("name", min_length=1, max_length=64)],
    login: Annotated[LoginRef, parameter("Shop login", SHOP_LOGIN)],
    account: Annotated[AccountRef, parameter("RO App account", "The company that gets the orders, with its API key")],
    platform: Annotated[Literal["cartum", "horoshop"], setting_parameter("platform")] = "cartum",
) -> dict[str, Any]:
    """Checks everything against both systems, asks for what is still to be chosen, saves, and starts the first import.

    The run waits for each form: press **Resume** in the menu ⋮. It starts from the top with every answer, so each step
    skips what is answered and valid; nothing is saved before all of it is valid.
    """
    typed = {"name": name, "platform": platform}
    await tag_run([TAG, shop_tag(slug)])
    with open_clients() as clients:
        dialogue = (await new_draft(slug, typed, login=login, account=account, clients=clients)).shop
        await ask_current_form(dialogue)
        shop = dialogue.config()
        await shops.add(shop, dialogue.company_fingerprint)
        imports = shop.enabled and dialogue.decision == SAVE_AND_IMPORT
        started = await one_shop.start_import(shop, str(flow_run.get_id())) if imports else None
        await shops.forget_logins(shop)
        return await report_connected(shop, started.id if started else None)
