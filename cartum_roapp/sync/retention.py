"""Removes what was kept long enough: buyers' data after the time that a shop's owner has set, the events of orders, the
calls that were sent for them, and the records of runs."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from cartum_roapp.config import ShopConfig
from cartum_roapp.ledger import creations, erasure, journal, runs

log = logging.getLogger(__name__)


def remove_old(engine: Engine, shops: Iterable[ShopConfig]) -> None:
    """Removes events, calls and runs that are older than `KEPT` of `journal`, `creations` and `runs`, and buyers' data
    from the ledger for orders that were placed more than `retention_days` of their shop ago, where it has such a
    setting, whether the shop is synced or paused. Orders that are open, held or not yet delivered keep it; so do shop
    and RO App. Idempotent, also for several processes at once."""
    with engine.begin() as connection:
        journal.forget_old(connection)
        creations.forget_old(connection)
        runs.forget_old(connection)
    for shop in shops:
        if shop.retention_days is not None:
            try:
                _remove_buyers(engine, shop, shop.retention_days)
            except SQLAlchemyError as error:  # the next shop is to have its turn all the same
                log.warning("%s: buyers' data can't be removed (%s)", shop.slug, type(error).__name__)


def _remove_buyers(engine: Engine, shop: ShopConfig, days: int) -> None:
    with engine.begin() as connection:
        old = erasure.old(connection, shop.key, days)
        erasure.erase(connection, shop.key, old, "retention")
    if old.orders or old.rows:
        counts = len(old.orders), len(old.rows)
        log.info("%s: buyers' data of %d orders and %d held rows is removed", shop.slug, *counts)
