"""What a shop calls its statuses, and what of RO App they are matched with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Engine, select, text, update

from cartum_roapp.ledger import database
from cartum_roapp.ledger.tables import shops

_NAME = "coalesce(shops.status_names ->> orders.status_id::text, '') AS name"
_OF_ORDERS = f"""
    SELECT number, status_id, {_NAME} FROM orders JOIN shops ON shops.key = orders.shop
    WHERE orders.shop = :shop AND number = ANY(:numbers)
"""


def note_matched(connection: Connection, key: str, statuses: Mapping[int, int]) -> None:
    """Notes what the shop's statuses are matched with. Writes nothing where nothing changed."""
    values = update(shops).where(shops.c.key == key, shops.c.statuses.is_distinct_from(dict(statuses)))
    connection.execute(values.values(statuses=dict(statuses)))


def note_names(engine: Engine, key: str, names: Mapping[int, str]) -> None:
    """Notes what the shop calls its statuses. Writes nothing where nothing changed."""
    stored = {str(status): name for status, name in names.items()}
    with database.reading(engine) as connection:
        same = connection.scalar(select(shops.c.status_names).where(shops.c.key == key)) == stored
    if not same:
        with engine.begin() as connection:
            connection.execute(update(shops).where(shops.c.key == key).values(status_names=stored))


def names(connection: Connection, key: str) -> dict[str, str]:
    """Returns what the shop calls its statuses, in its language, by their numbers; {} where that is not known."""
    return connection.scalar(select(shops.c.status_names).where(shops.c.key == key)) or {}


def name(connection: Connection, key: str, status: int) -> str:
    """Returns what the shop calls the status; its number where that is not known."""
    return names(connection, key).get(str(status)) or str(status)


def named(engine: Engine, key: str) -> dict[int, str]:
    """Returns what the shop calls its statuses, by id, without those that have no name; {} where that is not known."""
    with database.reading(engine) as connection:
        return {int(status): name for status, name in names(connection, key).items() if name}


def matched(engine: Engine, key: str) -> dict[int, str]:
    """As `named`, without those that were not matched when a run looked last."""
    with database.reading(engine) as connection:
        pairs = connection.scalar(select(shops.c.statuses).where(shops.c.key == key)) or {}
    return {status: name for status, name in named(engine, key).items() if str(status) in pairs}


def in_use(engine: Engine, key: str) -> frozenset[int]:
    """Returns the ids of the statuses that the shop's orders have, as they were read last."""
    with database.reading(engine) as connection:
        query = text("SELECT DISTINCT status_id FROM orders WHERE shop = :shop")
        return frozenset(connection.scalars(query, {"shop": key}))


def of_orders(connection: Connection, shop: str, numbers: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Returns (id, name) of the status of each order, by its number; a name is "" where it is not known."""
    rows = connection.execute(text(_OF_ORDERS), {"shop": shop, "numbers": list(numbers)})
    return {row.number: (row.status_id, row.name) for row in rows}
