"""Which orders' totals are to be read back from RO App, and what they have shown of the account."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, text

from cartum_roapp.orders.pricing import LineDiscounts

# An order that waits or is held may have lines on their way: its next delivery asks again.
_DUE = """
    FROM order_matches match JOIN orders USING (shop, number) JOIN outbox USING (shop, number)
    WHERE match.total_due AND match.account = :account AND match.shop = ANY(:shops) AND orders.gone_at IS NULL
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


def ask(connection: Connection, shop: str, number: str) -> None:
    """The order's total is to be read back. May be called twice."""
    _set(connection, [(shop, number)], due=True)


def settle(connection: Connection, orders: Iterable[tuple[str, str]], roapp_number: str = "") -> None:
    """The totals of these (shop, number) were read and looked into. `roapp_number`: of a single one, its number in RO
    App, where that was shown."""
    _set(connection, orders, due=False, roapp_number=roapp_number)


def line_discounts(connection: Connection, account: str) -> LineDiscounts:
    """Returns what the account makes of a line's discount, as far as its orders have shown."""
    found = connection.scalar(text("SELECT line_discounts FROM accounts WHERE name = :account"), {"account": account})
    return LineDiscounts(found or LineDiscounts.UNKNOWN)


def learn(connection: Connection, account: str, shown: LineDiscounts) -> None:
    """Stores what an order has shown the account to make of a line's discount."""
    connection.execute(
        text(
            "INSERT INTO accounts (name, line_discounts) VALUES (:account, :shown) "
            "ON CONFLICT (name) DO UPDATE SET line_discounts = excluded.line_discounts"
        ),
        {"account": account, "shown": str(shown)},
    )


def _set(connection: Connection, orders: Iterable[tuple[str, str]], *, due: bool, roapp_number: str = "") -> None:
    keys = [f"{shop}:{number}" for shop, number in orders]
    connection.execute(
        text(
            "UPDATE order_matches SET total_due = :due, "
            "roapp_number = coalesce(nullif(:roapp_number, ''), roapp_number) "
            "WHERE total_due <> :due AND (shop || ':' || number) = ANY(:keys)"
        ),
        {"due": due, "keys": keys, "roapp_number": roapp_number},
    )
