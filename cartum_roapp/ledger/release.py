"""Held records go back into delivery: by themselves when the cause may be gone, or because a person says so."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import Connection, Engine, text

from cartum_roapp.config import ShopConfig
from cartum_roapp.errors import Code
from cartum_roapp.ledger import catalogue, held, orders
from cartum_roapp.ledger.held import Held
from cartum_roapp.ledger.orders import Priority

_MENDED_IN_ROAPP = (
    Code.PRODUCT_MISSING,
    Code.PRODUCT_AMBIGUOUS,
    Code.PRODUCT_NOT_IDENTIFIABLE,
    Code.CONTACT_AMBIGUOUS,
    Code.DOUBLED,
    Code.MARKER_ELSEWHERE,
)
# A refused call costs a writing call each time, so it is tried more and more rarely.
_PATIENT = ":pause * power(2, least(attempts, 16) - 1)"
#: Of the table `held`, whose column names stand in no other table that it is joined with.
DUE = f"last_at < now() - least({_PATIENT}, greatest(:pause, interval '4 hours')) AND dismissed_at IS NULL"

_HELD_ORDERS = f"""
    UPDATE outbox SET held = false, available_at = now() FROM (
        SELECT id FROM held WHERE shop = :shop AND entity = 'order' AND code <> :deleted AND (
            (code = ANY(:mended) AND last_at < now() - :pause AND dismissed_at IS NULL) OR ({DUE}))
    ) due WHERE outbox.shop = :shop AND outbox.number = due.id AND outbox.held
"""
_LEFT_BEHIND = f"""
    SELECT DISTINCT number FROM (
        SELECT split_part(id, '/', 1) AS number FROM held WHERE shop = :shop AND {DUE}
        AND (entity = 'status' AND code <> ALL(:others) OR entity = 'line' AND code = :stuck)
    ) due JOIN outbox USING (number)
    WHERE outbox.shop = :shop AND NOT outbox.held AND delivered_version >= wanted_version
"""


def mapped_statuses(engine: Engine, shop: ShopConfig) -> int:
    """Orders whose status waited for a match that the shop has by now; returns how many."""
    waiting = [one.id for one in held.listed(engine, shop.key, entity="status", codes=(Code.STATUS_UNMATCHED,))]
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


def due_again(engine: Engine, shop: str, pause: timedelta) -> int:
    """Records last tried longer ago than `pause`, where RO App may answer otherwise by now; returns how many.

    What a person mends there is looked for again at every `pause`; what RO App refused after one, two, four … of
    them, at most four hours. An order that was deleted there stays held, and so does what a person dismissed.
    """
    values = {
        "shop": shop,
        "pause": pause,
        "mended": list(_MENDED_IN_ROAPP),
        "deleted": Code.DELETED_IN_ROAPP,
        "stuck": Code.LINE_NOT_REMOVABLE,
        "others": [Code.STATUS_UNMATCHED, Code.REFUSED_BY_SHOP],
    }
    with engine.begin() as connection:
        released: int = connection.execute(text(_HELD_ORDERS), values).rowcount
        numbers = list(connection.scalars(text(_LEFT_BEHIND), values))
        return released + orders.requeue(connection, shop, numbers, Priority.CHANGE)


def by_hand(connection: Connection, account: str, shop: str, records: Sequence[Held], *, make_again: bool) -> None:
    """Puts what a person chose back into delivery, ahead of history. With `make_again`, orders that RO App has no
    more are made anew: whoever delivers them looks for the old one first. Where products were missing, it is tried once
    more whether RO App takes new ones. Rows, and what the shop refused, are the caller's. May be called twice."""
    numbers = sorted({one.number for one in records if one.number and one.entity in ("order", "status", "line")})
    _forgive(connection, shop, records)
    orders.requeue(connection, shop, numbers, Priority.CHANGE)
    if any(one.code == Code.DOUBLED for one in records):
        _look_now(connection, account, shop)
    if any(one.code == Code.PRODUCT_MISSING for one in records):
        catalogue.note_product_writes(connection, account, "unknown")
    if make_again:
        deleted = [one.id for one in records if one.entity == "order" and one.code == Code.DELETED_IN_ROAPP]
        connection.execute(
            text("UPDATE order_matches SET make_again = true WHERE shop = :shop AND number = ANY(:numbers)"),
            {"shop": shop, "numbers": deleted},
        )


def _forgive(connection: Connection, shop: str, records: Collection[Held]) -> None:
    """What was dismissed counts as held again."""
    dismissed = [f"{one.entity}:{one.id}" for one in records if one.dismissed_at]
    if dismissed:
        connection.execute(
            text("UPDATE held SET dismissed_at = NULL WHERE shop = :shop AND entity || ':' || id = ANY(:records)"),
            {"shop": shop, "records": dismissed},
        )


def _look_now(connection: Connection, account: str, shop: str) -> None:
    """What is there twice is looked at now, not ten minutes after the last look."""
    connection.execute(
        text("UPDATE intents SET recheck_at = now() WHERE account = :account AND shop = :shop AND recheck_at > now()"),
        {"account": account, "shop": shop},
    )
