"""Removes what was kept long enough: buyers' data after the time that the shop's owner has set, the events of orders,
the calls that were sent for them, and the records of runs."""

from __future__ import annotations

import logging

from cartum_roapp.ledger import creations, erasure, journal, runs
from cartum_roapp.sync.run import Run

log = logging.getLogger(__name__)


def remove_old(run: Run) -> int:
    """Removes events, calls and runs that are older than `KEPT` of `journal`, `creations` and `runs`, and buyers' data
    from the ledger for orders that were placed more than `retention_days` of the shop ago, where it has such a setting.
    Returns the number of those orders. Orders that are open, held or not yet delivered keep it; so do the shop and RO
    App. Idempotent."""
    with run.engine.begin() as connection:
        journal.forget_old(connection)
        creations.forget_old(connection)
        runs.forget_old(connection)
    days = run.shop.retention_days
    if days is None:
        return 0
    with run.engine.begin() as connection:
        old = erasure.old(connection, run.shop.key, days)
        erasure.erase(connection, run.shop.key, old, "retention")
    if old.orders or old.rows:
        log.info("buyers' data of %d orders and %d held rows is removed", len(old.orders), len(old.rows))
    return len(old.orders)
