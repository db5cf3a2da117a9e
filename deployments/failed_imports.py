"""Imports that failed: no schedule repeats them, and a shop is not synced before its import has stored the window."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from sqlalchemy import Engine

from blocks import store
from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import refusals, runs
from cartum_roapp.shops import ShopConfig
from deployments.flow_runs import start


async def begin_again(engine: Engine, refused_again: float) -> None:
    """Starts the import again of each shop whose newest one failed and that was not synced since, unless the shop is
    paused or switched off. One that was refused waits as long as a sync would. Each failed run is followed by one an
    hour at most, if that one gets no further than Prefect. Idempotent."""
    put_off = refusals.put_off(engine, refused_again)
    for failed in runs.failed_imports(engine):
        shop = await store.find_shop(failed.slug)
        if failed.shop in put_off or not isinstance(shop, ShopConfig) or not shop.enabled:
            continue
        once = f"import: {failed.run} failed, {datetime.now(UTC):%Y-%m-%d %H}"
        with suppress(BadConfig):  # it has no deployments, and gets none
            await start(f"initial-import/{shop.slug}", once=once)
