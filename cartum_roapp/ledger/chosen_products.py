"""Which product of RO App a person has chosen for a shop's product: that counts above what the catalogue says.

The choice is a row of `links` with `chosen_at`, as that of a contact is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, text

from cartum_roapp.errors import Code
from cartum_roapp.ledger import database
from cartum_roapp.orders.catalogue import product_key

#: Why an order waits for its product.
WAITING = (Code.PRODUCT_AMBIGUOUS, Code.PRODUCT_MISSING, Code.PRODUCT_NOT_IDENTIFIABLE, Code.CATALOGUE_UNAVAILABLE)


@dataclass(frozen=True)
class ChosenProduct:
    """`name` is the article of the shop's product, or its title where it has none; `title` is None where the ledger has
    not read the product yet. `chosen_at` is UTC."""

    shop: str
    name: str
    title: str | None
    ro_id: int
    chosen_at: datetime


def named(connection: Connection, shop: str, name: str) -> list[str]:
    """Returns the shop's product with this cleaned article, in any letter case; where none has it, those with this
    title."""
    values = {"shop": shop, "name": name, "product": product_key(name, "")}
    for has in ("product = :product", "title = :name"):
        query = text(f"SELECT product FROM products WHERE shop = :shop AND {has} ORDER BY product")
        if found := list(connection.scalars(query, values)):
            return found
    return []


def names(connection: Connection, shop: str) -> list[str]:
    """Returns the articles of the shop's products; the title of one that has none."""
    query = text("SELECT coalesce(nullif(article, ''), title) FROM products WHERE shop = :shop ORDER BY 1")
    return list(connection.scalars(query, {"shop": shop}))


def waiting(connection: Connection, shop: str, product: str) -> Sequence[str]:
    """Returns the numbers of the orders with this product that are held because of a product."""
    rows = connection.scalars(
        text(
            "SELECT DISTINCT line.number FROM order_lines line "
            "JOIN held ON (held.shop, held.id) = (line.shop, line.number) AND held.entity = 'order' "
            "WHERE line.shop = :shop AND line.product = :product AND held.code = ANY(:codes) "
            "AND held.dismissed_at IS NULL ORDER BY 1"
        ),
        {"shop": shop, "product": product, "codes": list(WAITING)},
    )
    return list(rows)


def listed(engine: Engine, shops: Collection[str]) -> list[ChosenProduct]:
    """Returns the choices of these shops, by shop and article."""
    with database.reading(engine) as connection:
        rows = connection.execute(text(_LISTED), {"shops": list(shops)})
        return [ChosenProduct(**row._mapping) for row in rows]


_LISTED = """
    SELECT shops.key AS shop, coalesce(nullif(product.article, ''), product.title, chosen.key) AS name,
           product.title, chosen.ro_id, chosen.chosen_at
    FROM links chosen JOIN shops ON shops.account = chosen.account AND starts_with(chosen.key, shops.key || '/')
    LEFT JOIN products product ON product.shop = shops.key
        AND product.product = substr(chosen.key, length(shops.key) + 2)
    WHERE shops.key = ANY(:shops) AND chosen.kind = 'product' AND chosen.chosen_at IS NOT NULL ORDER BY 1, 2
"""
