"""Which contact of RO App a person has chosen for a buyer, who is named by the number of one of their orders.

The choice is a row of `links` with `chosen_at`, so that an erasure finds it like any other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, text

from cartum_roapp.errors import Code
from cartum_roapp.ledger import database
from cartum_roapp.ledger.dossier import IDENTITY, KINDS


@dataclass(frozen=True)
class ChosenContact:
    """`orders` are the buyer's orders in this shop, newest first; `kind` is person or organization. `chosen_at` is
    UTC."""

    shop: str
    orders: tuple[str, ...]
    ro_id: int
    kind: str
    chosen_at: datetime


def buyer(connection: Connection, shop: str, number: str) -> str | None:
    """Returns by what the buyer of this order is known on the account; None where the ledger does not know the order,
    or its buyer was erased."""
    query = text(f"SELECT {IDENTITY} FROM orders WHERE shop = :shop AND number = :number AND erased_at IS NULL")
    found: str | None = connection.scalar(query, {"shop": shop, "number": number})
    return found


def waiting(connection: Connection, shop: str, identity: str) -> Sequence[str]:
    """Returns the numbers of the buyer's orders that are held because several contacts may be theirs."""
    rows = connection.scalars(
        text(
            f"SELECT number FROM orders JOIN held ON (held.shop, held.id) = (orders.shop, orders.number) "
            "WHERE orders.shop = :shop AND held.entity = 'order' AND held.code = :ambiguous "
            f"AND held.dismissed_at IS NULL AND {IDENTITY} = :identity ORDER BY 1"
        ),
        {"shop": shop, "ambiguous": Code.CONTACT_AMBIGUOUS, "identity": identity},
    )
    return list(rows)


def listed(engine: Engine, shops: Collection[str]) -> list[ChosenContact]:
    """Returns the choices for buyers of these shops."""
    with database.reading(engine) as connection:
        rows = connection.execute(text(_LISTED), {"shops": list(shops)}).all()
    return [
        ChosenContact(row.shop, tuple(row.orders), row.ro_id, KINDS[row.organization], row.chosen_at) for row in rows
    ]


_LISTED = f"""
    SELECT orders.shop, array_agg(orders.number ORDER BY orders.created_at DESC, orders.number::numeric DESC) AS orders,
           contact.ro_id, contact.organization, contact.chosen_at
    FROM links contact JOIN shops ON shops.account = contact.account
    JOIN orders ON orders.shop = shops.key AND contact.key = {IDENTITY}
    WHERE orders.shop = ANY(:shops) AND contact.kind = 'contact' AND contact.chosen_at IS NOT NULL
    GROUP BY orders.shop, contact.account, contact.kind, contact.key, contact.ro_id
    ORDER BY orders.shop, contact.ro_id, 2
"""
