"""A status that a person matches in Prefect's UI."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from prefect.artifacts import acreate_markdown_artifact

from blocks.examine import examine_shop
from cartum_roapp.config import ShopConfig
from cartum_roapp.config.problems import Problems
from cartum_roapp.connection.access import Clients
from cartum_roapp.connection.status_match import StatusMatch, matched
from cartum_roapp.ledger import release
from cartum_roapp.markdown import escaped
from cartum_roapp.service import ledger
from tasks.step import in_prefect

log = logging.getLogger(__name__)


async def find_match(shop: ShopConfig, status: str, roapp_status: str, clients: Clients) -> StatusMatch:
    """Asks both systems for their statuses. Returns and raises what `matched` does."""
    values = shop.model_dump(exclude={"slug", "key", "password"}, exclude_none=True)
    found = await examine_shop(
        shop.slug, values, before=shop, password=shop.password, clients=clients, found=Problems()
    )
    return matched(shop, status, roapp_status, found)


def release_matched(match: StatusMatch) -> list[str]:
    """Queues the orders that were held for it. Returns their numbers."""
    with ledger.opened() as engine:
        return release.release_mapped_statuses(engine, match.shop)


async def show_matched(match: StatusMatch, released: Sequence[str]) -> dict[str, Any]:
    """Writes an artifact that says what is matched, and which orders wait for the next sync. Returns the run's
    result."""
    shop, pair = match.shop, f"{match.status.label} → {match.roapp_status.label}"
    orders = f"Tried again with the next sync: {', '.join(released)}." if released else "Nothing was held for it."
    log.info("matched: %s. %s", pair, orders)
    if in_prefect():
        await acreate_markdown_artifact(
            key=f"{shop.slug}-settings",
            markdown=f"**{escaped(shop.name)}**: {escaped(pair)}. {orders}",
            description=f"{escaped(shop.name)}: status matched",
        )
    return {"shop": shop.slug, "status": match.status.value, "roapp_status": match.roapp_status.value,
            "released": list(released)}  # fmt: skip
