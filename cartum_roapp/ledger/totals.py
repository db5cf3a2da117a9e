"""Which orders' totals are to be read back from RO App, and what they have shown of the account."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, text

from cartum_roapp.orders.pricing import LineDiscounts

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


def price_again(connection: Connection, shop: str, number: str) -> None:
    """Has the order's lines compared again with what they have to be."""
    query = "UPDATE order_matches SET goods = NULL WHERE shop = :shop AND number = :number"
    connection.execute(text(query), {"shop": shop, "number": number})


def line_discounts(connection: Connection, account: str) -> LineDiscounts:
    """Returns what the account makes of a line's discount, as far as its orders have shown."""
    found = connection.scalar(text("SELECT line_discounts FROM accounts WHERE name = :account"), {"account": account})
    return LineDiscounts(found or LineDiscounts.UNKNOWN)


def learn(connection: Connection, account: str, shown: LineDiscounts) -> None:
    """Stores what an order has shown the account to make of a line's discount."""
    query = text("UPDATE accounts SET line_discounts = :shown WHERE name = :account")
    connection.execute(query, {"account": account, "shown": str(shown)})
