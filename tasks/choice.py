"""A contact or product of RO App that a person chooses in Prefect's UI."""

from __future__ import annotations

import logging
from typing import Any

from prefect.artifacts import acreate_markdown_artifact

from cartum_roapp.apis.calls import Calls
from cartum_roapp.config import ShopConfig, ShopSettings
from cartum_roapp.delivery import choosing
from cartum_roapp.delivery.account import reading
from cartum_roapp.delivery.choosing import Chosen
from cartum_roapp.markdown import escaped
from cartum_roapp.service import ledger
from cartum_roapp.settings import settings
from cartum_roapp.sync.failure import sanitized_errors
from tasks.step import in_prefect

log = logging.getLogger(__name__)


async def choose(found: ShopSettings, kind: str, which: str, ro_id: int) -> Chosen:
    """Asks RO App whether it has the record, and stores the choice. Returns and raises what `choosing` does."""
    choose_one = choosing.choose_product if kind == "product" else choosing.choose_contact
    with sanitized_errors(), ledger.opened() as engine:
        async with reading(engine, found.account, settings(), Calls()) as roapp:
            return await choose_one(engine, roapp, found.shop, which, ro_id)


async def show_choice(shop: ShopConfig, kind: str, which: str, ro_id: int, chosen: Chosen) -> dict[str, Any]:
    """Writes an artifact that says what was chosen, and which orders wait for the next sync. Returns the run's
    result."""
    what = f"{which} is {chosen.kind} {ro_id} of RO App" if kind == "product" else (
        f"the buyer of {which} is {chosen.kind} {ro_id} of RO App"
    )  # fmt: skip
    orders = f"Tried again with the next sync: {', '.join(chosen.released)}." if chosen.released else "Nothing waits."
    log.info("%s. %s", what, orders)
    if in_prefect():
        await acreate_markdown_artifact(
            key=f"{shop.slug}-match",
            markdown=f"**{escaped(shop.name)}**: {escaped(what)}. {orders}",
            description=f"{escaped(shop.name)}: {kind} chosen",
        )
    return {"shop": shop.slug, "kind": kind, "which": which, "ro_id": ro_id, "is": chosen.kind,
            "released": list(chosen.released)}  # fmt: skip
