"""Statuses that the shop was given and that may still arrive there: nobody has answered, and what they set was not seen
since."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, text

#: How long after it was sent such a status may still be met in the shop as our own.
LATE_FOR = timedelta(minutes=15)

_THIS = "shop = :shop AND number = :number AND status_id = :status"


def begin(connection: Connection, shop: str, number: str, status: int) -> None:
    """The shop is given this status now: one more try that may arrive late, until `settle` is told otherwise. What is
    too old to arrive is forgotten."""
    connection.execute(
        text("DELETE FROM shop_writes WHERE shop = :shop AND sent_at < now() - :late_for"),
        {"shop": shop, "late_for": LATE_FOR},
    )
    connection.execute(
        text(
            "INSERT INTO shop_writes AS known (shop, number, status_id) VALUES (:shop, :number, :status) "
            "ON CONFLICT (shop, number, status_id) DO UPDATE SET tries = known.tries + 1, sent_at = now()"
        ),
        {"shop": shop, "number": number, "status": status},
    )


def settle(connection: Connection, shop: str, number: str, status: int) -> None:
    """One of the tries was answered, or has been met in the shop: it can't arrive any more. Writes nothing where there
    is none."""
    this = {"shop": shop, "number": number, "status": status}
    connection.execute(text(f"UPDATE shop_writes SET tries = tries - 1 WHERE {_THIS}"), this)
    connection.execute(text(f"DELETE FROM shop_writes WHERE {_THIS} AND tries < 1"), this)


def may_arrive(connection: Connection, shop: str, number: str, status: int) -> bool:
    """Returns whether this status of the order, as the shop had it when the order was stored last, may be a late one of
    ours."""
    query = (
        f"SELECT EXISTS (SELECT FROM shop_writes JOIN orders USING (shop, number) "
        f"WHERE {_THIS.replace('status_id', 'shop_writes.status_id')} AND sent_at > orders.stored_at - :late_for)"
    )
    return bool(
        connection.scalar(text(query), {"shop": shop, "number": number, "status": status, "late_for": LATE_FOR})
    )
