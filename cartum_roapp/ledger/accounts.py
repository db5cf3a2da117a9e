"""Which shops stand in an account of RO App, which accounts a shop stands in, and the end of one that nobody uses."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select, union

from cartum_roapp.ledger import tables
from cartum_roapp.ledger.deleted_shops import STILL_UNCLEAR
from cartum_roapp.ledger.tables import accounts, creations, order_matches, outbox, shops


def shops_of(connection: Connection, name: str) -> tuple[list[str], list[str]]:
    """Returns the slugs of the shops that the ledger has in this account: the connected ones, and the deleted ones
    whose history is still here."""
    rows = connection.execute(
        select(shops.c.slug, shops.c.deleted_at).where(shops.c.account == name).order_by(shops.c.slug)
    ).all()
    return [row.slug for row in rows if row.deleted_at is None], [row.slug for row in rows if row.deleted_at]


def of_shop(connection: Connection, shop: str) -> list[str]:
    """Returns the names of the accounts in which the shop's orders stand, or are to be made, also those of a shop that
    was deleted with its history kept. More than one only where somebody changed the ledger."""
    rows = connection.execute(
        union(*(select(table.c.account).where(table.c.shop == shop) for table in (order_matches, outbox)))
    )
    return sorted(row.account for row in rows)


def is_known(connection: Connection, name: str) -> bool:
    """Returns whether the ledger has this account."""
    return connection.scalar(select(accounts.c.name).where(accounts.c.name == name)) is not None


def forget(connection: Connection, name: str) -> None:
    """Removes all that the ledger knows of an account without shops: its catalogue, contacts, products and markers. A
    call of the last hour that nobody knows the outcome of stays noted, as in a purge. Idempotent."""
    connection.execute(delete(creations).where(creations.c.account == name, ~STILL_UNCLEAR))
    for table in (tables.catalogue, tables.links, tables.markers, tables.call_slots):
        connection.execute(delete(table).where(table.c.account == name))
    connection.execute(delete(accounts).where(accounts.c.name == name))
