"""Which statuses of the shops are still to be matched, and which ones of RO App there are to choose from.

A name is "" where it is not known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Engine, select, text, update

from cartum_roapp.errors import Code
from cartum_roapp.ledger import database
from cartum_roapp.ledger.tables import accounts

_NAME = "coalesce(shops.status_names ->> orders.status_id::text, '') AS name"
_UNMATCHED = f"""
    SELECT DISTINCT status_id, {_NAME}
    FROM held JOIN orders ON (orders.shop, orders.number) = (held.shop, held.id) JOIN shops ON shops.key = held.shop
    WHERE held.entity = 'status' AND held.code = :unmatched AND shops.deleted_at IS NULL ORDER BY status_id
"""
_OF_ORDERS = f"""
    SELECT number, status_id, {_NAME} FROM orders JOIN shops ON shops.key = orders.shop
    WHERE orders.shop = :shop AND number = ANY(:numbers)
"""


def note_roapp(connection: Connection, account: str, names: Mapping[int, str]) -> None:
    """Notes what RO App calls its statuses. May be called twice."""
    named = {str(status): name for status, name in names.items()}
    connection.execute(update(accounts).where(accounts.c.name == account).values(status_names=named))


def of_roapp(engine: Engine) -> list[tuple[int, str]]:
    """Returns (id, name) of RO App's statuses, of all accounts in which one was looked for."""
    with database.reading(engine) as connection:
        found = connection.scalars(select(accounts.c.status_names).order_by(accounts.c.name)).all()
    return [(int(id), name) for names in found for id, name in (names or {}).items()]


def unmatched(engine: Engine) -> list[tuple[int, str]]:
    """Returns (id, name) of the shops' statuses for which something is held as they are not matched."""
    with database.reading(engine) as connection:
        rows = connection.execute(text(_UNMATCHED), {"unmatched": Code.STATUS_UNMATCHED})
        return [(row.status_id, row.name) for row in rows]


def of_orders(connection: Connection, shop: str, numbers: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Returns (id, name) of the status of each order, by its number."""
    rows = connection.execute(text(_OF_ORDERS), {"shop": shop, "numbers": list(numbers)})
    return {row.number: (row.status_id, row.name) for row in rows}
