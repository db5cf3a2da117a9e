"""An account of RO App that nobody uses any more."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, select

from cartum_roapp.ledger import tables
from cartum_roapp.ledger.deleted_shops import UNCLEAR_FOR
from cartum_roapp.ledger.tables import accounts, intents, shops


def shops_of(connection: Connection, name: str) -> tuple[list[str], list[str]]:
    """Returns the slugs of the shops that the ledger has in this account: the connected ones, and the deleted ones
    whose history is still here."""
    rows = connection.execute(
        select(shops.c.slug, shops.c.deleted_at).where(shops.c.account == name).order_by(shops.c.slug)
    ).all()
    return [row.slug for row in rows if row.deleted_at is None], [row.slug for row in rows if row.deleted_at]


def is_known(connection: Connection, name: str) -> bool:
    """Returns whether the ledger has this account."""
    return connection.scalar(select(accounts.c.name).where(accounts.c.name == name)) is not None


def forget(connection: Connection, name: str) -> None:
    """Removes all that the ledger knows of an account without shops: its catalogue, contacts, products and markers. A
    call of the last hour that nobody knows the outcome of stays noted, as in a purge. May be called twice."""
    unclear = intents.c.state.in_(("open", "unclear")) & (intents.c.sent_at > func.now() - UNCLEAR_FOR)
    connection.execute(delete(intents).where(intents.c.account == name, ~unclear))
    for table in (tables.catalogue, tables.contact_matches, tables.product_matches, tables.markers, tables.call_slots):
        connection.execute(delete(table).where(table.c.account == name))
    connection.execute(delete(accounts).where(accounts.c.name == name))
