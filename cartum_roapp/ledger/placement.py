"""In which accounts a shop's orders stand, or are to be made."""

from __future__ import annotations

from sqlalchemy import Connection, select, union

from cartum_roapp.ledger.tables import order_matches, outbox


def accounts_of(connection: Connection, shop: str) -> list[str]:
    """Their names, also those of a shop that was deleted with its history kept. More than one only where somebody
    changed the ledger."""
    tables = (order_matches, outbox)
    rows = connection.execute(union(*(select(table.c.account).where(table.c.shop == shop) for table in tables)))
    return sorted(row.account for row in rows)
