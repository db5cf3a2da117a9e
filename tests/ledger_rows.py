"""Whether anything was written in the ledger's order tables."""

from __future__ import annotations

from sqlalchemy import text
from world import World

TABLES = (
    "orders", "order_lines", "products", "outbox", "order_matches", "agreed_lines", "links",
    "markers", "comments", "creations", "catalogue", "order_events",
)  # fmt: skip


def rows(world: World) -> dict[str, list[tuple[str, str]]]:
    """Where each row lies and which transaction wrote it: both change with any write, also one of equal values."""
    with world.engine.connect() as connection:
        return {
            table: sorted((str(at), str(by)) for at, by in connection.execute(text(f"SELECT ctid, xmin FROM {table}")))
            for table in TABLES
        }
