"""Writes statuses that staff set in RO App back into the shop."""

from __future__ import annotations

import logging
from datetime import timedelta

from cartum_roapp import writeback
from cartum_roapp.delivery.account import reading
from cartum_roapp.errors import NotNow, OverQuota
from cartum_roapp.ledger import held, staff_statuses
from cartum_roapp.sync.run import Run

log = logging.getLogger(__name__)


def both_ways(run: Run) -> bool:
    """Returns whether the shop's statuses travel both ways. If they no longer do, deletes what was noted for it."""
    if run.shop.status_direction == "both":
        return True
    with run.engine.begin() as connection:
        staff_statuses.forget(connection, run.shop.key)
    return False


async def write_back(run: Run) -> list[str]:
    """Writes statuses back. Returns the numbers of the orders whose status in the shop now follows RO App's. Raises
    Retryable and BadConfig; the other statuses wait in the ledger, all of them where another run reads the shop for
    long, or its quota is used up. Idempotent."""
    async with reading(run.engine, run.account, run.settings, run.calls) as roapp:
        await writeback.note_staff_statuses(run.engine, run.shop, roapp, run.started)
    written: list[str] = []
    try:
        async with run.reading() as api:
            # A replay tries all statuses again at once.
            retry_after = timedelta(seconds=0 if run.kind == "replay-held" else run.settings.look_again)
            written = await writeback.set_shop_statuses(run.engine, run.shop, api, retry_after)
    except (NotNow, OverQuota) as error:
        log.warning("the next run writes the statuses into the shop: %s", error.message)
    if written:
        log.info("the shop took RO App's status of %s orders: %s", len(written), ", ".join(written[:20]))
    run.counts.set_in_shop += len(written)
    run.counts.held = held.count(run.engine, run.shop.key)
    return written
