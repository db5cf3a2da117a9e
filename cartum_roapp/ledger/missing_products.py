"""The shop's products that held orders wait for: RO App lacks them, so they have no link."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Engine, text

from cartum_roapp.errors import Code
from cartum_roapp.ledger import database
from cartum_roapp.ledger.shop_catalogue import sold_in_another


@dataclass(frozen=True)
class MissingProduct:
    """A product as the shop's catalogue has it, otherwise as the order's line."""

    title: str
    article: str
    barcode: str
    price: Decimal
    description: str


def listed(engine: Engine, shop: str) -> list[MissingProduct]:
    """Returns what held orders of this shop wait for, each product once, by name."""
    with database.reading(engine) as connection:
        rows = connection.execute(text(_LISTED), {"shop": shop, "missing": Code.PRODUCT_MISSING})
        return [MissingProduct(**row._mapping) for row in rows]


# Where another order has the product in another currency its price may be in that one: the held order's is taken.
_LISTED = f"""
    SELECT DISTINCT ON (product.title, product.article)
           product.title, product.article, product.barcode, product.description,
           CASE WHEN {sold_in_another("product.shop", "product.product", "waiting.currency")}
                THEN waiting.price ELSE product.price END AS price
    FROM products product JOIN shops ON shops.key = product.shop, LATERAL (
        SELECT line.price, orders.currency FROM order_lines line JOIN orders USING (shop, number)
        JOIN held ON (held.shop, held.id) = (line.shop, line.number)
        WHERE (line.shop, line.product) = (product.shop, product.product)
          AND held.entity = 'order' AND held.code = :missing AND held.dismissed_at IS NULL
        ORDER BY line.price LIMIT 1) waiting
    WHERE product.shop = :shop AND NOT EXISTS (
        SELECT FROM links WHERE links.account = shops.account AND links.kind = 'product'
          AND links.key = product.shop || '/' || product.product)
    ORDER BY product.title, product.article
"""
