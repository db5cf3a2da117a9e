"""Lines that staff added to orders in RO App, as a reconciliation has told them: no difference until they change."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

from sqlalchemy import Connection, text


def own_items(connection: Connection, shop: str, numbers: Collection[str]) -> dict[str, set[int]]:
    """Returns number → RO App's ids of the lines that are the shop's; without orders that have none."""
    rows = connection.execute(
        text(
            "SELECT number, item_id FROM agreed_lines WHERE shop = :shop AND number = ANY(:numbers) "
            "AND item_id IS NOT NULL"
        ),
        {"shop": shop, "numbers": list(numbers)},
    )
    found: dict[str, set[int]] = {}
    for row in rows:
        found.setdefault(row.number, set()).add(row.item_id)
    return found


def remember(connection: Connection, shop: str, number: str, totals: Mapping[int, Decimal]) -> None:
    """These lines of staff were told, each with what it adds to the total. Writes nothing where nothing changed."""
    for item_id, total in totals.items():
        connection.execute(
            text(
                "INSERT INTO staff_lines AS known (shop, number, item_id, total) "
                "VALUES (:shop, :number, :item_id, :total) ON CONFLICT (shop, number, item_id) "
                "DO UPDATE SET total = excluded.total WHERE known.total <> excluded.total"
            ),
            {"shop": shop, "number": number, "item_id": item_id, "total": total},
        )


def forget_others(connection: Connection, shop: str, number: str, kept: Collection[int]) -> None:
    """The order has only these lines of staff in RO App any more."""
    connection.execute(
        text("DELETE FROM staff_lines WHERE shop = :shop AND number = :number AND item_id <> ALL(:ids)"),
        {"shop": shop, "number": number, "ids": list(kept)},
    )
