"""Held records whose cause is gone go back into delivery by themselves."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine, text

from cartum_roapp.config import ShopConfig
from cartum_roapp.ledger import held, orders
from cartum_roapp.ledger.orders import Priority

_MENDED_IN_ROAPP = (
    "product-missing",
    "product-ambiguous",
    "product-not-identifiable",
    "contact-ambiguous",
    "doubled",
    "marker-elsewhere",
)


def mapped_statuses(engine: Engine, shop: ShopConfig) -> int:
    """Orders whose status waited for a match that the shop has by now; gives how many."""
    waiting = [one.id for one in held.listed(engine, shop.key, entity="status", codes=("status-unmatched",))]
    if not waiting:
        return 0
    with engine.begin() as connection:
        rows = connection.execute(
            text("SELECT number FROM orders WHERE shop = :shop AND number = ANY(:numbers) AND status_id = ANY(:known)"),
            {"shop": shop.key, "numbers": waiting, "known": sorted(shop.statuses)},
        )
        numbers = [row.number for row in rows]
        held.clear(connection, shop.key, "status", numbers)
        return orders.requeue(connection, shop.key, numbers, Priority.CHANGE)


def mended_in_roapp(engine: Engine, shop: str, pause: timedelta) -> int:
    """Orders held for something that a person mends in RO App, last tried longer than `pause` ago; gives how many."""
    with engine.begin() as connection:
        rows = connection.execute(
            text(
                "UPDATE outbox SET held = false, available_at = now() FROM held WHERE held.shop = outbox.shop "
                "AND held.id = outbox.number AND held.entity = 'order' AND held.code = ANY(:codes) "
                "AND held.last_at < now() - :pause AND outbox.shop = :shop AND outbox.held RETURNING outbox.number"
            ),
            {"codes": list(_MENDED_IN_ROAPP), "pause": pause, "shop": shop},
        )
        return len(rows.all())
