"""What a shop calls its statuses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from cartum_roapp.ledger import shop_statuses
from cartum_roapp.service import ledger
from cartum_roapp.settings import settings
from cartum_roapp.shops import ShopSettings
from cartum_roapp.sync.failure import sanitized_errors
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.selection import Selection, selection
from cartum_roapp.sync.window import classify_statuses


async def status_names(found: ShopSettings) -> dict[int, str]:
    """Returns the names by id, as the ledger has them, otherwise as the shop says. Raises what a read of the shop
    raises."""
    with sanitized_errors(), ledger.opened() as engine:
        run = Run.of(found, "backfill", engine, settings(), "")
        names = shop_statuses.named(engine, found.shop.key)
        if not names:
            async with run.cartum() as api:
                await classify_statuses(run, api)
            names = shop_statuses.named(engine, found.shop.key)
    return names


async def named_selection(
    found: ShopSettings,
    created_from: date | None,
    created_to: date | None,
    statuses: Sequence[str] | None,
    numbers: Sequence[str] | None,
) -> Selection:
    """Returns the selection; statuses may be named as the shop names them. Raises what `selection` and `status_names`
    raise."""
    names = await status_names(found) if statuses else {}
    return selection(found.shop, created_from, created_to, statuses, numbers, names)
