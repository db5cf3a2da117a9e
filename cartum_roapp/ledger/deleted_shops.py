"""The end of a shop: what stays of it, and what a purge removes."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine, delete, func, select, update

from cartum_roapp.ledger import database, links, product_links
from cartum_roapp.ledger.tables import (
    accounts,
    counters,
    creations,
    markers,
    order_events,
    order_lines,
    runs,
    shops,
)

#: What a purge forgets that only the ledger knew, in words.
FORGOTTEN = (
    "its orders' history, the time from which it was imported, chosen contacts and products, dismissed records, which "
    "buyers were erased, and which orders were deleted in RO App: an import reads or makes these again"
)
#: Calls of the last hour that nobody knows the outcome of: far longer than anybody waits before one is taken for lost.
STILL_UNCLEAR = creations.c.look_until.is_(None) & (creations.c.sent_at > func.now() - timedelta(hours=1))


def forget(engine: Engine, key: str, *, purge: bool) -> None:
    """Ends the shop and its pause: its history stays unless `purge`, which removes every row of it. Its markers are
    read again from RO App when it is connected again; products stay known, as they are the account's, and so do the
    contacts of buyers that another of its shops has too.

    A call of the last hour that nobody knows the outcome of stays noted even then, so that what it made is not made
    again, by an order of another shop that has the same buyer either. The next purge in this ledger removes it.
    """
    with engine.begin() as connection:
        if purge:
            account = connection.scalar(select(shops.c.account).where(shops.c.key == key))
            # First, as it waits for a run that is just storing something.
            connection.execute(delete(shops).where(shops.c.key == key))
            for table in (order_lines, runs, markers, order_events, counters):  # the others go with the shop
                connection.execute(delete(table).where(table.c.shop == key))
            # Whatever a second look would find, there is no shop to hold it in.
            gone = creations.c.shop.not_in(select(shops.c.key))
            connection.execute(delete(creations).where(gone, ~STILL_UNCLEAR))
            links.forget_buyers(connection, account, chosen=True)
            product_links.forget_shop(connection, key)
            connection.execute(
                update(accounts).where(accounts.c.name == account).values(markers_from=None, markers_until=None)
            )
        else:
            connection.execute(
                update(shops).where(shops.c.key == key).values(deleted_at=func.now(), paused_because=None)
            )


def purge(engine: Engine, slug: str) -> list[str]:
    """Purges what deleted shops of this slug left; returns their keys. Idempotent."""
    with database.reading(engine) as connection:
        gone = select(shops.c.key).where(shops.c.slug == slug, shops.c.deleted_at.is_not(None))
        keys = list(connection.scalars(gone))
    for key in keys:
        forget(engine, key, purge=True)
    return keys


def slugs(engine: Engine) -> set[str]:
    """The slugs of deleted shops whose history is still here."""
    with database.reading(engine) as connection:
        return set(connection.scalars(select(shops.c.slug).where(shops.c.deleted_at.is_not(None))))


def slug(engine: Engine, key: str) -> str | None:
    """Returns the slug of the deleted shop with this key; None if there is no such shop."""
    with database.reading(engine) as connection:
        return connection.scalar(select(shops.c.slug).where(shops.c.key == key, shops.c.deleted_at.is_not(None)))
