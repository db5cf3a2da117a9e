"""Which orders' totals are to be read back from RO App."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, text

# An order that waits or is held may have lines on their way: its next delivery asks again.
_DUE = """
    FROM order_matches match JOIN orders USING (shop, number) JOIN outbox USING (shop, number)
    WHERE match.total IS NULL AND match.account = :account AND match.shop = ANY(:shops) AND orders.gone_at IS NULL
      AND outbox.wanted_version <= outbox.delivered_version AND NOT outbox.held
"""


@dataclass(frozen=True)
class Due:
    """An order whose lines were written since its total was read."""

    shop: str
    number: str
    ro_id: int


def due(connection: Connection, account: str, shops: Collection[str], limit: int) -> list[Due]:
    """Returns orders whose total is to be read, those that RO App made first in front; at most `limit`."""
    rows = connection.execute(
        text(f"SELECT shop, number, match.ro_id {_DUE} ORDER BY match.ro_id LIMIT :limit"),
        {"account": account, "shops": sorted(shops), "limit": limit},
    )
    return [Due(**row._mapping) for row in rows]


def is_any_due(connection: Connection, account: str, shops: Collection[str]) -> bool:
    """Returns whether the total of any order of these shops is to be read."""
    found = connection.scalar(text(f"SELECT EXISTS (SELECT {_DUE})"), {"account": account, "shops": sorted(shops)})
    return bool(found)


def note(connection: Connection, shop: str, number: str, total: Decimal) -> None:
    """Notes that RO App's total of the order was read and compared."""
    query = "UPDATE order_matches SET total = :total WHERE shop = :shop AND number = :number"
    connection.execute(text(query), {"shop": shop, "number": number, "total": total})
