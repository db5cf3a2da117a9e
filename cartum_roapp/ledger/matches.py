"""Which RO App order is which shop order: a stored decision, taken once and replayed.

Unique constraints make doubling impossible: one row per (shop, order number), (shop, order number, product, price); of
contacts and products: `links`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class OrderMatch:
    """`contact_id`: the buyer's that was sent last. `make_again`: a person asked for another one where RO App no longer
    has this one. `roapp_number`: the number that people see in RO App, "" where no answer has shown it."""

    ro_id: int
    contact_id: int | None = None
    make_again: bool = False
    roapp_number: str = ""


_ORDER = tuple(name for name in OrderMatch.__dataclass_fields__ if name != "contact_id")
#: RO App's contact of a row of `order_matches`.
CONTACT = "CAST(fields -> 'client_id' ->> 1 AS bigint)"


def order(connection: Connection, shop: str, number: str) -> OrderMatch | None:
    """Returns RO App's order of this shop order; None if there is none, as far as the ledger knows."""
    row = connection.execute(
        text(
            f"SELECT {', '.join(_ORDER)}, {CONTACT} AS contact_id FROM order_matches "
            "WHERE shop = :shop AND number = :number"
        ),
        {"shop": shop, "number": number},
    ).one_or_none()
    return None if row is None else OrderMatch(**row._mapping)


def bind_order(connection: Connection, account: str, shop: str, number: str, match: OrderMatch) -> None:
    """One shop order = one RO App order: a second one for the same number violates the primary key, the
    same one for another number the unique constraint."""
    connection.execute(
        text(
            f"INSERT INTO order_matches (account, shop, number, {', '.join(_ORDER)}) "
            f"VALUES (:account, :shop, :number, {', '.join(f':{name}' for name in _ORDER)})"
        ),
        {"account": account, "shop": shop, "number": number, **vars(match)},
    )


def bound_to(connection: Connection, account: str, ro_id: int) -> tuple[str, str] | None:
    """(shop, number) of the shop order that this RO App order is."""
    row = connection.execute(
        text("SELECT shop, number FROM order_matches WHERE account = :account AND ro_id = :ro_id"),
        {"account": account, "ro_id": ro_id},
    ).one_or_none()
    return None if row is None else (row.shop, row.number)


def ids(connection: Connection, orders: Collection[tuple[str, str]]) -> list[int]:
    """Returns RO App's ids of those of these orders (shop, number) that are there."""
    query = """
        SELECT match.ro_id FROM unnest(CAST(:shops AS text[]), CAST(:numbers AS text[])) AS own (shop, number)
        JOIN order_matches match USING (shop, number)
    """
    keys = {"shops": [shop for shop, _ in orders], "numbers": [number for _, number in orders]}
    return list(connection.scalars(text(query), keys))


def unbind_order(connection: Connection, shop: str, number: str) -> None:
    """Removes the binding to an order that RO App no longer has; another one takes its place, with lines of its own."""
    for table in ("agreed_lines", "comments", "order_matches"):
        connection.execute(
            text(f"DELETE FROM {table} WHERE shop = :shop AND number = :number"), {"shop": shop, "number": number}
        )


def keep_order(connection: Connection, shop: str, number: str) -> None:
    """RO App still has the order, so it is not made again."""
    query = text("UPDATE order_matches SET make_again = false WHERE shop = :shop AND number = :number")
    connection.execute(query, {"shop": shop, "number": number})


def note_roapp_numbers(connection: Connection, shop: str, shown: Mapping[int, str]) -> None:
    """Notes RO App's own numbers by its ids, of those that are orders of the shop. Writes nothing where nothing
    changed."""
    connection.execute(
        text(
            "UPDATE order_matches SET roapp_number = shown.number "
            "FROM unnest(CAST(:ids AS bigint[]), CAST(:numbers AS text[])) AS shown (id, number) "
            "WHERE shop = :shop AND ro_id = shown.id AND roapp_number <> shown.number"
        ),
        {"shop": shop, "ids": list(shown), "numbers": list(shown.values())},
    )


def roapp_orders(connection: Connection, shop: str, numbers: Collection[str]) -> dict[str, tuple[int, str]]:
    """Number of the shop → RO App's id and number of the order that is bound to it; the number is "" where it is not
    known."""
    rows = connection.execute(
        text("SELECT number, ro_id, roapp_number FROM order_matches WHERE shop = :shop AND number = ANY(:numbers)"),
        {"shop": shop, "numbers": list(numbers)},
    )
    return {row.number: (row.ro_id, row.roapp_number) for row in rows}
