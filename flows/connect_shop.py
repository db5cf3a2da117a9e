"""Connecting a shop in Prefect's UI: the same checks as `cartum-roapp shop add`, form by form."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from prefect import flow
from prefect.runtime import flow_run

from cartum_roapp.config import Identifier
from cartum_roapp.connection.questions import SAVE_AND_IMPORT
from deployments import doors, one_shop, shops
from tasks.connecting import ask_access, ask_settings, ask_statuses, ask_to_save, tell_connected
from tasks.draft import new_draft
from tasks.form import AccountRef, LoginRef, asked


@flow(name="connect-shop", flow_run_name="{slug}: connect", validate_parameters=False, persist_result=False)
async def connect_shop(
    slug: Annotated[str, asked("Short name", "Names the shop's runs and commands, like my-shop", max_length=48)],
    name: Annotated[str, asked("Shop name", "How people call the shop, in any script", min_length=1, max_length=64)],
    login: Annotated[LoginRef, asked("Shop login", "The shop's address with an admin's user name and password")],
    account: Annotated[AccountRef, asked("RO App account", "The company that gets the orders, with its API key")],
    platform: Annotated[Literal["cartum", "horoshop"], asked("Platform", "The same API under two names")] = "cartum",
    identify_products_by: Annotated[
        Identifier, asked("Identify products by", "Which field of RO App's products tells that two are the same")
    ] = "sku",
    missing_products: Annotated[
        Literal["create", "hold"], asked("Missing products", "Create what RO App lacks, or hold the order")
    ] = "create",
    enabled: Annotated[bool, asked("Integration on", "Off: nothing is read from the shop or sent to RO App")] = True,
) -> dict[str, Any]:
    """Checks everything against both systems, asks what is still to be chosen, saves, and starts the first import.

    The run waits for each form: press **Resume**. It goes on from the top with every answer, so each step passes over
    what is answered and right; nothing is saved before all of it holds.
    """
    typed = {"name": name, "platform": platform, "identify_products_by": identify_products_by,
             "missing_products": missing_products, "status_direction": "to_roapp", "enabled": enabled}  # fmt: skip
    with doors.opened() as access:
        draft = await new_draft(slug, typed, login=login, account=account, doors=access)
        await ask_access(draft)
        await ask_settings(draft)
        await ask_statuses(draft)
        await ask_to_save(draft)
        shop = draft.config()
        await shops.add(shop, draft.company)
        imports = shop.enabled and draft.decision == SAVE_AND_IMPORT
        started = await one_shop.start_import(shop, str(flow_run.get_id())) if imports else None
        await shops.forget_logins(shop)
        return await tell_connected(shop, started.id if started else None)
