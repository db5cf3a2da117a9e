"""Whether the shop's catalogue can be read, and which orders wait for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, text

from cartum_roapp.errors import Code
from cartum_roapp.ledger import database, orders


@dataclass(frozen=True)
class Failing:
    """Since when it can't be read, when a run `tried` last (both UTC), and why. `for_good`: orders are delivered
    without it; else the next run tries first."""

    since: datetime
    tried: datetime
    because: str
    for_good: bool


def failing(engine: Engine, shop: str) -> Failing | None:
    """Returns None where the catalogue was read when it was tried last."""
    with database.reading(engine) as connection:
        found = connection.execute(text(_FAILING), {"shop": shop}).one_or_none()
    return None if found is None else Failing(**found._mapping)


def note_failed(engine: Engine, shop: str, because: str, *, for_good: bool) -> None:
    """One more run could not read it."""
    with engine.begin() as connection:
        connection.execute(text(_NOTE_FAILED), {"shop": shop, "because": because, "for_good": for_good})


def waiting(engine: Engine, shop: str) -> set[str]:
    """Returns the articles that held orders wait for."""
    with database.reading(engine) as connection:
        return set(connection.scalars(text(_WAITING), {"shop": shop, "code": Code.CATALOGUE_UNAVAILABLE}))


def works(connection: Connection, shop: str, read: Mapping[str, Mapping[str, Any] | None]) -> None:
    """It was read again: stores these articles (title, description, barcode, price of each; None: the shop lacks it),
    and queues the orders that waited. Idempotent."""
    store(connection, shop, read)
    held = text("SELECT id FROM held WHERE shop = :shop AND entity = 'order' AND code = :code AND dismissed_at IS NULL")
    numbers = list(connection.scalars(held, {"shop": shop, "code": Code.CATALOGUE_UNAVAILABLE}))
    orders.requeue(connection, shop, numbers, because="the shop's catalogue can be read again")
    connection.execute(text("UPDATE shops SET catalogue_failure = NULL WHERE key = :shop"), {"shop": shop})


def store(connection: Connection, shop: str, read: Mapping[str, Mapping[str, Any] | None]) -> None:
    """Stores what the catalogue says of articles that the ledger has, in the form of `works`. Idempotent."""
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


def is_blind(connection: Connection, shop: str) -> bool:
    """Returns whether orders are delivered without the catalogue now."""
    query = text("SELECT CAST(catalogue_failure ->> 'for_good' AS boolean) FROM shops WHERE key = :shop")
    return bool(connection.scalar(query, {"shop": shop}))


def was_read(connection: Connection, shop: str) -> bool:
    """Returns whether products of this shop have ever had their names from its catalogue."""
    query = text("SELECT EXISTS (SELECT FROM products WHERE shop = :shop AND (listed OR description <> ''))")
    return bool(connection.scalar(query, {"shop": shop}))


_FAILING = """
    SELECT failure.* FROM shops, jsonb_to_record(catalogue_failure)
        AS failure (since timestamptz, tried timestamptz, because text, for_good boolean)
    WHERE key = :shop AND catalogue_failure IS NOT NULL
"""
_NOTE_FAILED = """
    UPDATE shops SET catalogue_failure = jsonb_build_object(
        'since', coalesce(catalogue_failure -> 'since', to_jsonb(now())), 'tried', now(),
        'because', CAST(:because AS text),
        'for_good', :for_good OR coalesce(catalogue_failure @> '{"for_good": true}', false))
    WHERE key = :shop
"""
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
