"""Which RO App order carries the marker of which shop order, as read from RO App."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text


def note(connection: Connection, account: str, ro_id: int, shop: str, number: str) -> None:
    """Idempotent; a marker that moved to another order is followed."""
    connection.execute(
        text(
            "INSERT INTO markers (account, ro_id, shop, number) VALUES (:account, :ro_id, :shop, :number) "
            "ON CONFLICT (account, ro_id) DO UPDATE SET shop = excluded.shop, number = excluded.number"
        ),
        {"account": account, "ro_id": ro_id, "shop": shop, "number": number},
    )


def find(connection: Connection, account: str, shop: str, number: str) -> list[int]:
    """Returns RO App's ids of all orders that carry this very marker. Of several, one was made twice, or copied by
    staff."""
    query = text(
        "SELECT ro_id FROM markers WHERE account = :account AND shop = :shop AND number = :number ORDER BY ro_id"
    )
    return list(connection.scalars(query, {"account": account, "shop": shop, "number": number}))


def of_shop(connection: Connection, account: str, shop: str) -> dict[int, str]:
    """RO App order → shop order number of everything that is known to carry a marker of this shop."""
    rows = connection.execute(
        text("SELECT ro_id, number FROM markers WHERE account = :account AND shop = :shop"),
        {"account": account, "shop": shop},
    )
    return {row.ro_id: row.number for row in rows}


def unlinked(connection: Connection, account: str, shop: str) -> list[int]:
    """RO App's ids of orders that carry a marker of this shop, and are linked to none of its orders."""
    query = text(
        "SELECT ro_id FROM markers WHERE account = :account AND shop = :shop AND NOT EXISTS ("
        "SELECT FROM order_matches known WHERE (known.shop, known.number, known.ro_id) "
        "= (markers.shop, markers.number, markers.ro_id)) ORDER BY ro_id"
    )
    return list(connection.scalars(query, {"account": account, "shop": shop}))


def marked(connection: Connection, account: str) -> set[int]:
    """All RO App orders that are known to carry a marker."""
    rows = connection.execute(text("SELECT ro_id FROM markers WHERE account = :account"), {"account": account})
    return {row.ro_id for row in rows}


def span(connection: Connection, account: str) -> tuple[datetime | None, datetime | None]:
    """From when to when (UTC) the creation times of RO App orders are covered; None before the first look."""
    row = connection.execute(
        text("SELECT markers_from, markers_until FROM accounts WHERE name = :account"), {"account": account}
    ).one()
    return row.markers_from, row.markers_until


def extend_span(connection: Connection, account: str, since: datetime, until: datetime) -> None:
    """Notes that all RO App orders created from `since` to `until` (UTC) were looked at. The span has no holes; an end
    in the future, of a clock that was ahead, is taken back."""
    connection.execute(
        text(
            "UPDATE accounts SET markers_from = least(coalesce(markers_from, :since), :since), "
            "markers_until = CASE WHEN :since > markers_until THEN markers_until "
            "ELSE greatest(least(coalesce(markers_until, :until), clock_timestamp()), :until) END "
            "WHERE name = :account"
        ),
        {"account": account, "since": since, "until": until},
    )


def oldest_to_create(connection: Connection, account: str) -> datetime | None:
    """When the oldest shop order that RO App does not have yet was created (UTC)."""
    oldest: datetime | None = connection.scalar(
        text(
            "SELECT min(orders.created_at) FROM outbox JOIN orders USING (shop, number) "
            "WHERE outbox.account = :account AND delivered_version = 0 AND wanted_version > 0"
        ),
        {"account": account},
    )
    return oldest


def forget(connection: Connection, account: str, ro_id: int) -> None:
    """This RO App order is gone, or carries another marker now."""
    connection.execute(
        text("DELETE FROM markers WHERE account = :account AND ro_id = :ro_id"), {"account": account, "ro_id": ro_id}
    )
