"""Disconnects a shop in Prefect's UI, like `cartum-roapp shop delete`."""

from __future__ import annotations

from typing import Annotated, Any

from prefect import flow

from cartum_roapp.sync import sentence
from deployments import shops
from deployments.clients import open_clients
from tasks.ending import final_state
from tasks.form import SHOP, parameter
from tasks.names import named, of_deletion
from tasks.shop_forms import ask_shop, confirm_deletion, report_deleted


@flow(name="delete-shop", flow_run_name=named(of_deletion), persist_result=False)
@final_state(sentence.of_connection)
async def delete_shop(
    shop: Annotated[str, SHOP],
    purge: Annotated[bool, parameter("Purge", "Delete the shop's history in the ledger as well")] = False,
) -> dict[str, Any]:
    """Removes a shop's deployments, schedule, settings and login; RO App keeps its orders. The run waits until the
    shop's name is typed: press **Resume** in the menu ⋮."""
    with open_clients():
        slug = await ask_shop(shop, await shops.connected(deleted=purge))
        await confirm_deletion(slug, purge=purge)
        await shops.disconnect(slug, purge=purge)
        return await report_deleted(slug, purge=purge)
