"""Which shops stand in an account of RO App, which accounts a shop stands in, and the end of one that nobody uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, union

from cartum_roapp.ledger import tables
from cartum_roapp.ledger.deleted_shops import STILL_UNCLEAR
from cartum_roapp.ledger.tables import accounts, catalogue, creations, order_matches, outbox, shops


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


@dataclass(frozen=True)
class Known:
    """What an account's answers have shown of it. `products`: how many its last reading showed, at `products_read_at`
    (UTC, None before the first one); the others are columns of the table `accounts`."""

    name: str
    product_writes: str
    products: int
    products_read_at: datetime | None


def known(connection: Connection) -> dict[str, Known]:
    """Returns what is known of each account, by name."""
    counts = select(catalogue.c.account, func.count().label("products")).group_by(catalogue.c.account).subquery()
    rows = connection.execute(
        select(
            accounts.c.name,
            accounts.c.product_writes,
            func.coalesce(counts.c.products, 0).label("products"),
            accounts.c.catalogue_read_at.label("products_read_at"),
        ).outerjoin(counts, counts.c.account == accounts.c.name)
    )
    return {row.name: Known(**row._mapping) for row in rows}


def forget(connection: Connection, name: str) -> None:
    """Removes all that the ledger knows of an account without shops: its catalogue, contacts, products and markers. A
    call of the last hour that nobody knows the outcome of stays noted, as in a purge. Idempotent."""
    connection.execute(delete(creations).where(creations.c.account == name, ~STILL_UNCLEAR))
    for table in (tables.catalogue, tables.links, tables.markers, tables.call_slots):
        connection.execute(delete(table).where(table.c.account == name))
    connection.execute(delete(accounts).where(accounts.c.name == name))
