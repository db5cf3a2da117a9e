"""What the ledger knows of a shop's orders is forgotten, so that its import starts over.

RO App is searched for markers again, which finds every order that is there. What stays is what nobody could find out
again: calls without a clear outcome, what people decided (dismissed records, chosen contacts and products, orders that
were deleted in RO App), which orders' buyers were erased, and what backfills brought from before the window. An open
backfill is canceled, as it would continue behind what is forgotten; rows that can't be read are held until they can.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from cartum_roapp.errors import Code
from cartum_roapp.ledger import links


@dataclass(frozen=True)
class Reset:
    """How many orders were forgotten, how many stay because of what people decided of them, and how many calls without
    a clear outcome are still looked for."""

    orders: int
    kept: int
    unclear_calls: int


def count(connection: Connection, shop: str) -> Reset:
    """Returns what `reset` would do now."""
    row = connection.execute(text(_COUNT), {"shop": shop, "deleted": Code.DELETED_IN_ROAPP}).one()
    return Reset(**row._mapping)


def reset(connection: Connection, shop: str) -> Reset:
    """Forgets the orders in the caller's transaction, while nobody reads the shop or delivers for its account. The
    frozen window stays, so that the same orders qualify; it is read again from its start, and what was placed later by
    the first sync after that. Idempotent."""
    done = count(connection, shop)
    values = {"shop": shop, "deleted": Code.DELETED_IN_ROAPP}
    connection.execute(text(f"CREATE TEMP TABLE kept ON COMMIT DROP AS {_KEPT}"), values)
    for statement in _STATEMENTS:
        connection.execute(text(statement), values)
    connection.execute(text("DROP TABLE kept"))
    account = connection.scalar(text("SELECT account FROM shops WHERE key = :shop"), values)
    links.forget_buyers(connection, account, chosen=False)
    return done


# What was placed before the window came by a backfill: no import reads it again. An order that a person dismissed may
# have been entered in RO App by hand, and one that was deleted there is made again only by a person.
_KEPT = """
    SELECT number FROM orders JOIN shops ON shops.key = orders.shop
    WHERE orders.shop = :shop AND (orders.erased_at IS NOT NULL OR orders.created_at < shops.window_from OR EXISTS (
        SELECT FROM held WHERE held.shop = :shop AND held.entity = 'order' AND held.id = orders.number
        AND (held.dismissed_at IS NOT NULL OR held.code = :deleted))
        OR NOT EXISTS (
            SELECT FROM order_matches match WHERE match.shop = :shop AND match.number = orders.number)
        AND EXISTS (SELECT FROM outbox WHERE outbox.shop = :shop AND outbox.number = orders.number
                    AND outbox.wanted_version > outbox.delivered_version))
"""
_COUNT = f"""
    WITH kept AS ({_KEPT})
    SELECT (SELECT count(*) FROM orders WHERE shop = :shop) - (SELECT count(*) FROM kept) AS orders,
           (SELECT count(*) FROM kept) AS kept,
           (SELECT count(*) FROM creations WHERE shop = :shop AND look_until IS NULL) AS unclear_calls
"""
_NOT_KEPT = "shop = :shop AND number NOT IN (SELECT number FROM kept)"
_STATEMENTS = (
    *(
        f"DELETE FROM {table} WHERE {_NOT_KEPT}"
        for table in ("outbox", "agreed_lines", "comments", "order_matches", "order_lines", "orders")
    ),
    "UPDATE backfills SET state = 'canceled', ended_at = now() WHERE shop = :shop AND state = 'open'",
    "DELETE FROM held WHERE shop = :shop AND dismissed_at IS NULL AND erased_at IS NULL AND entity <> 'row' "
    "AND split_part(id, '/', 1) NOT IN (SELECT number FROM kept)",
    "UPDATE products SET read_at = NULL WHERE shop = :shop",
    "DELETE FROM markers WHERE shop = :shop",
    "UPDATE accounts SET markers_from = NULL, markers_until = NULL "
    "WHERE name = (SELECT account FROM shops WHERE key = :shop)",
    "UPDATE shops SET stored_until = window_from, window_stored_at = NULL, watermark = NULL, statuses = NULL, "
    "statuses_read_to = NULL, missed = '{}' WHERE key = :shop",
)
