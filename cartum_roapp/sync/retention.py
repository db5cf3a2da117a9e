"""Removes what was kept long enough: buyers' data after the time that a shop's owner has set, the events of orders, the
calls that were sent for them, and the records of runs."""

from __future__ import annotations

import logging

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from cartum_roapp.ledger import creations, erasure, journal, runs

log = logging.getLogger(__name__)


def remove_old(engine: Engine) -> None:
    """Removes events, calls and runs that are older than `KEPT` of `journal`, `creations` and `runs`, and buyers' data
    from the ledger for orders that were placed more than `retention_days` of their shop ago, where it has such a
    setting, whether the shop is synced, paused or deleted. Orders that are open, held or not yet delivered keep it
    while their shop is connected; so do shop and RO App. Idempotent, also for several processes at once."""
    with engine.begin() as connection:
        journal.forget_old(connection)
        creations.forget_old(connection)
        runs.forget_old(connection)
    for key, slug, days in erasure.limited(engine):
        try:
            with engine.begin() as connection:
                old = erasure.old(connection, key, days)
                erasure.erase(connection, key, old, "retention")
        except SQLAlchemyError as error:  # the next shop is to have its turn all the same
            log.warning("%s: buyers' data can't be removed (%s)", slug, type(error).__name__)
        else:
            if old.orders or old.rows:
                counts = len(old.orders), len(old.rows)
                log.info("%s: buyers' data of %d orders and %d held rows is removed", slug, *counts)
