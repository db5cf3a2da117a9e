"""The shop's products that RO App lacks and that nobody makes there by program: what held orders wait for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, Engine, delete, text
from sqlalchemy.dialects.postgresql import insert

from cartum_roapp.errors import Code
from cartum_roapp.ledger import database
from cartum_roapp.ledger.tables import missing_products


@dataclass(frozen=True)
class MissingProduct:
    """A product as the shop's catalogue has it, otherwise as the order's line."""

    title: str
    article: str
    barcode: str
    price: Decimal
    description: str


def note(connection: Connection, shop: str, products: Collection[str]) -> None:
    """Notes that RO App lacks them. May be called twice."""
    rows = [{"shop": shop, "product": product} for product in products]
    if rows:
        connection.execute(insert(missing_products).on_conflict_do_nothing(), rows)


def clear(connection: Connection, shop: str, products: Collection[str]) -> None:
    """RO App has them."""
    table = missing_products
    connection.execute(delete(table).where(table.c.shop == shop, table.c.product.in_(products)))


def listed(engine: Engine, shops: Collection[str]) -> list[MissingProduct]:
    """Returns what held orders of these shops wait for, each product once, by name."""
    with database.reading(engine) as connection:
        rows = connection.execute(text(_LISTED), {"shops": list(shops), "missing": Code.PRODUCT_MISSING})
        return [MissingProduct(**row._mapping) for row in rows]


# Where another order has the product in another currency its price may be in that one: the held order's is taken.
_LISTED = """
    SELECT DISTINCT ON (product.title, product.article)
           product.title, product.article, product.barcode, product.description,
           CASE WHEN EXISTS (
               SELECT FROM order_lines other JOIN orders USING (shop, number)
               WHERE (other.shop, other.product) = (product.shop, product.product)
                 AND orders.currency <> waiting.currency
           ) THEN waiting.price ELSE product.price END AS price
    FROM missing_products JOIN products product USING (shop, product), LATERAL (
        SELECT line.price, orders.currency FROM order_lines line JOIN orders USING (shop, number)
        JOIN held ON (held.shop, held.id) = (line.shop, line.number)
        WHERE (line.shop, line.product) = (product.shop, product.product)
          AND held.entity = 'order' AND held.code = :missing AND held.dismissed_at IS NULL
        ORDER BY line.price LIMIT 1) waiting
    WHERE product.shop = ANY(:shops)
    ORDER BY product.title, product.article, product.shop
"""
