"""What the shop's catalogue says of its products, and which orders wait for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Engine, text

from cartum_roapp.errors import Code
from cartum_roapp.ledger import database, orders


def waiting(engine: Engine, shop: str) -> set[str]:
    """Returns the articles that held orders wait for."""
    with database.reading(engine) as connection:
        return set(connection.scalars(text(_WAITING), {"shop": shop, "code": Code.CATALOGUE_UNAVAILABLE}))


def release(connection: Connection, shop: str) -> None:
    """Queues the orders that waited for the catalogue. Idempotent."""
    held = text("SELECT id FROM held WHERE shop = :shop AND entity = 'order' AND code = :code AND dismissed_at IS NULL")
    numbers = list(connection.scalars(held, {"shop": shop, "code": Code.CATALOGUE_UNAVAILABLE}))
    orders.requeue(connection, shop, numbers, because="the shop's catalogue can be read again")


def store(connection: Connection, shop: str, read: Mapping[str, Mapping[str, Any] | None]) -> None:
    """Stores what the catalogue says of articles that the ledger has (title, description, barcode, price of each; None:
    the shop lacks it). Idempotent."""
    for article, entry in read.items():
        values = {"shop": shop, "article": article, "listed": entry is not None, **(entry or _NOTHING)}
        connection.execute(text(_STORE), values)


def namesakes(
    engine: Engine, shop: str, titles: Collection[str], barcodes: Collection[str], age: timedelta
) -> set[str]:
    """Returns the listed articles with one of these titles or barcodes that were read longer than `age` ago."""
    values = {"shop": shop, "titles": list(titles), "barcodes": list(barcodes), "age": age}
    with database.reading(engine) as connection:
        return set(connection.scalars(text(_NAMESAKES), values))


def twins(connection: Connection, shop: str, product: str, *, title: str, barcode: str) -> list[str]:
    """Returns the articles of the shop's other products with this title, or with this barcode; "" is nobody's. One that
    the catalogue no longer has is left out."""
    values = {"shop": shop, "product": product, "title": title, "barcode": barcode}
    return list(connection.scalars(text(_TWINS), values))


def is_sold_in_another_currency(connection: Connection, shop: str, product: str, currency: str) -> bool:
    """Returns whether orders in another currency have this product, too: then the ledger's price may be in that one."""
    values = {"shop": shop, "product": product, "currency": currency}
    return bool(connection.scalar(text(f"SELECT {sold_in_another(':shop', ':product', ':currency')}"), values))


def sold_in_another(shop: str, product: str, currency: str) -> str:
    """Returns the condition that orders in another currency have this product, each argument an expression of SQL. ""
    says nothing."""
    return f"""EXISTS (
        SELECT FROM order_lines other JOIN orders USING (shop, number)
        WHERE other.shop = {shop} AND other.product = {product}
          AND orders.currency <> {currency} AND orders.currency <> '' AND {currency} <> '')"""


_NAMESAKES = """
    SELECT article FROM products WHERE shop = :shop AND article <> '' AND listed AND read_at < now() - :age
      AND (title = ANY(:titles) OR barcode = ANY(:barcodes))
"""
_TWINS = """
    SELECT article FROM products WHERE shop = :shop AND product <> :product AND article <> ''
      AND (listed OR read_at IS NULL)
      AND (:title <> '' AND lower(title) = lower(:title) OR :barcode <> '' AND barcode = :barcode)
    ORDER BY article
"""
_NOTHING = {"title": "", "description": "", "barcode": "", "price": None, "currency": ""}
_WAITING = """
    SELECT DISTINCT product.article FROM held
    JOIN order_lines line ON line.shop = held.shop AND line.number = held.id
    JOIN products product ON product.shop = line.shop AND product.product = line.product
    WHERE held.shop = :shop AND held.entity = 'order' AND held.code = :code
      AND product.article <> '' AND product.read_at IS NULL
"""
_STORE = f"""
    UPDATE products SET read_at = now(), listed = :listed, title = coalesce(nullif(:title, ''), title),
           description = :description, barcode = :barcode,
           price = CASE WHEN {sold_in_another(":shop", "products.product", ":currency")} THEN price
                        ELSE coalesce(CAST(:price AS numeric), price) END
    WHERE shop = :shop AND article = :article
"""
