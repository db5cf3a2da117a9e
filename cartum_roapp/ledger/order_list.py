"""Orders as a person looks through them: the newest of a shop, or those with a number, of any shop."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, text

from cartum_roapp.ledger.orders import NOT_WITHDRAWN

#: The states that an order may be in, in words.
STATES = ("delivered", "waiting", "held")
#: The most orders of a page, or of a search.
PAGE = 50


@dataclass(frozen=True)
class Listed:
    """`state` is one of `STATES`, or "withdrawn" (`ledger.backfills`). `status`: the shop's, by its name where that is
    known. `roapp_number`: the number that people see in RO App, "" where it is not known. Has no buyer's data. Times
    UTC."""

    shop: str
    number: str
    created_at: datetime
    status: str
    total: Decimal
    currency: str
    state: str
    roapp_id: int | None
    roapp_number: str


def newest(
    connection: Connection, shop: str, *, state: str | None = None, before: tuple[datetime, str] | None = None
) -> list[Listed]:
    """Returns a page of the shop's orders, newest first: those of this state, those placed `before` (`created_at` and
    number of the page's last order)."""
    at, number = before or (None, None)
    rows = connection.execute(
        text(f"{_LISTED} WHERE {_OF_SHOP} {_NEWEST}"), {"shop": shop, "state": state, "at": at, "number": number}
    )
    return [Listed(**row._mapping) for row in rows]


def found(connection: Connection, number: str) -> list[Listed]:
    """Returns the orders with this number in the shop, in RO App, or with this id in RO App, of all connected shops, by
    shop."""
    id = int(number) if number.isdecimal() and len(number) <= 18 else None
    rows = connection.execute(text(f"{_LISTED} WHERE {_NUMBERED} {_BY_SHOP}"), {"number": number, "id": id})
    return [Listed(**row._mapping) for row in rows]


_STATE = """
    CASE WHEN outbox.wanted_version = 0 THEN 'withdrawn' WHEN outbox.held THEN 'held'
         WHEN outbox.wanted_version > outbox.delivered_version THEN 'waiting' ELSE 'delivered' END
"""
_LISTED = f"""
    SELECT orders.shop, orders.number, orders.created_at, orders.total, orders.currency,
           coalesce(shops.status_names ->> orders.status_id::text, orders.status_id::text) AS status,
           {_STATE} AS state, match.ro_id AS roapp_id, coalesce(match.roapp_number, '') AS roapp_number
    FROM orders JOIN shops ON shops.key = orders.shop AND shops.deleted_at IS NULL
    JOIN outbox USING (shop, number) LEFT JOIN order_matches match USING (shop, number)
"""
_OF_SHOP = f"""
    orders.shop = :shop AND {NOT_WITHDRAWN}
    AND (CAST(:state AS text) IS NULL OR {_STATE} = :state)
    AND (CAST(:at AS timestamptz) IS NULL OR (orders.created_at, orders.number) < (:at, :number))
"""
_NEWEST = f"ORDER BY orders.created_at DESC, orders.number DESC LIMIT {PAGE}"
_NUMBERED = """
    (orders.shop, orders.number) IN (
        SELECT key, :number FROM shops
        UNION SELECT theirs.shop, theirs.number FROM accounts JOIN order_matches theirs
            ON theirs.account = accounts.name AND theirs.roapp_number = :number AND theirs.roapp_number <> ''
        UNION SELECT theirs.shop, theirs.number FROM accounts JOIN order_matches theirs
            ON theirs.account = accounts.name AND theirs.ro_id = CAST(:id AS bigint)
    )
"""
_BY_SHOP = f"ORDER BY shops.slug, orders.created_at DESC LIMIT {PAGE}"
