"""Disconnecting a shop in Prefect's UI, like `cartum-roapp shop delete`."""

from __future__ import annotations

from typing import Annotated, Any

from prefect import flow

from deployments import doors, shops
from tasks.form import asked
from tasks.which import ask_whether, tell_deleted, which_shop


@flow(name="delete-shop", flow_run_name="{shop}: delete", persist_result=False)
async def delete_shop(
    shop: Annotated[str, asked("Shop", "The shop's short name", max_length=48)],
    purge: Annotated[bool, asked("Purge", "Delete the shop's history in the ledger as well")] = False,
) -> dict[str, Any]:
    """Removes a shop's deployments, schedule, settings and login; RO App keeps its orders. The run waits until the
    shop's name is typed: press **Resume**."""
    with doors.opened():
        slug = await which_shop(shop, await shops.connected(deleted=purge))
        await ask_whether(slug, purge=purge)
        await shops.disconnect(slug, purge=purge)
        return await tell_deleted(slug, purge=purge)
