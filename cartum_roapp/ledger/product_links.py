"""Which product of RO App a shop's product is, and the name and price that RO App's was last given from the shop."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import Connection, text

from cartum_roapp.errors import Code
from cartum_roapp.ledger.intents import UNSETTLED
from cartum_roapp.ledger.release import RETRY_DUE


@dataclass(frozen=True)
class ProductLink:
    """RO App's product `ro_id` of the account, found or made by `identity` ("code:CAP-2")."""

    account: str
    ro_id: int
    identity: str


@dataclass(frozen=True)
class ProductChange:
    """A shop's product whose name or price is another one than RO App's was last given."""

    shop: str
    product: str
    ro_id: int
    title: str
    price: Decimal
    renamed: bool
    repriced: bool


def read(connection: Connection, shop: str, products: Collection[str]) -> dict[str, ProductLink]:
    """Returns the shop's product → its link, of those that have one."""
    rows = connection.execute(
        text(
            "SELECT product, account, ro_id, identity FROM product_links "
            "WHERE shop = :shop AND product = ANY(:products)"
        ),
        {"shop": shop, "products": list(products)},
    )
    return {row.product: ProductLink(row.account, row.ro_id, row.identity) for row in rows}


def of_others(connection: Connection, account: str, shop: str, product: str, ids: Collection[int]) -> set[int]:
    """Returns those of RO App's products that are another product of this shop: by its link, or because they carry its
    article as code or SKU. A product that the shop's catalogue has no more counts for nothing."""
    values = {"account": account, "shop": shop, "product": product, "ids": list(ids)}
    return set(connection.scalars(text(_OF_OTHERS), values)) if ids else set()


def has_another_article(connection: Connection, account: str, shop: str, article: str, ro_id: int) -> bool:
    """Returns whether RO App's product carries another article of this shop as code or SKU, and not this one. One that
    the shop's catalogue has no more counts for nothing."""
    values = {"account": account, "shop": shop, "article": article, "ro_id": ro_id}
    return bool(connection.scalar(text(_HAS_ANOTHER), values))


def store(connection: Connection, shop: str, links: Mapping[str, ProductLink]) -> None:
    """Stores links. A new one, or one with another product of RO App, counts as given what the shop has now. May be
    called twice."""
    for product, link in links.items():
        connection.execute(text(_STORE), {"shop": shop, "product": product, **vars(link)})


def remove(connection: Connection, account: str, ro_id: int) -> None:
    """RO App no longer takes this product."""
    connection.execute(
        text("DELETE FROM product_links WHERE account = :account AND ro_id = :ro_id"),
        {"account": account, "ro_id": ro_id},
    )


def changed(
    connection: Connection, account: str, shops: Collection[str], pause: timedelta, limit: int
) -> list[ProductChange]:
    """Returns products of these shops whose name or price changed in the shop's catalogue, and those of which RO App
    has not confirmed the last change. Left out are those that are held and were tried lately (`pause`, see
    `ledger.release`), all of a shop whose account changes no products."""
    values: dict[str, object] = {"account": account, "shops": list(shops), "pause": pause, "limit": limit}
    values["unavailable"] = Code.NOT_AVAILABLE
    return [ProductChange(**row._mapping) for row in connection.execute(text(_CHANGED), values)]


def note_given(connection: Connection, change: ProductChange) -> None:
    """RO App's product has the shop's name and price now."""
    connection.execute(
        text("UPDATE product_links SET title = :title, price = :price WHERE shop = :shop AND product = :product"),
        {"shop": change.shop, "product": change.product, "title": change.title, "price": change.price},
    )


def skip_changes(connection: Connection, shops: Collection[str]) -> None:
    """Products of these shops stay as they are in RO App: what changed until now is not carried on later either."""
    connection.execute(text(_SKIP), {"shops": list(shops)})


_STORE = """
    INSERT INTO product_links AS known (shop, product, account, ro_id, identity, title, price)
    SELECT shop, product, :account, :ro_id, :identity, title, price FROM products
    WHERE shop = :shop AND product = :product
    ON CONFLICT (shop, product) DO UPDATE SET
        account = excluded.account, ro_id = excluded.ro_id, identity = excluded.identity,
        title = CASE WHEN (known.account, known.ro_id) = (excluded.account, excluded.ro_id)
                     THEN known.title ELSE excluded.title END,
        price = CASE WHEN (known.account, known.ro_id) = (excluded.account, excluded.ro_id)
                     THEN known.price ELSE excluded.price END
"""
_OF_OTHERS = """
    SELECT link.ro_id FROM product_links link JOIN products other USING (shop, product)
    WHERE link.account = :account AND link.shop = :shop AND link.ro_id = ANY(:ids)
      AND other.product <> :product AND (other.listed OR other.read_at IS NULL)
    UNION SELECT row.ro_id FROM catalogue row JOIN products other ON other.article IN (row.code, row.sku)
    WHERE row.account = :account AND row.ro_id = ANY(:ids) AND other.shop = :shop AND other.article <> ''
      AND other.product <> :product AND (other.listed OR other.read_at IS NULL)
"""
_HAS_ANOTHER = """
    SELECT EXISTS (
        SELECT FROM catalogue row JOIN products other ON other.article IN (row.code, row.sku)
        WHERE row.account = :account AND row.ro_id = :ro_id AND other.shop = :shop AND other.article <> ''
          AND :article NOT IN (row.code, row.sku) AND (other.listed OR other.read_at IS NULL)
    )
"""
_CHANGED = f"""
    SELECT link.shop, link.product, link.ro_id, product.title, product.price,
           link.title <> product.title OR unconfirmed AS renamed, link.price <> product.price OR unconfirmed AS repriced
    FROM product_links link JOIN products product USING (shop, product), LATERAL (
        SELECT EXISTS (SELECT FROM intents WHERE account = link.account AND shop = link.shop AND kind = 'change'
                       AND identity = 'product ' || link.ro_id {UNSETTLED} AND settled_at IS NULL) AS unconfirmed
    )
    WHERE link.account = :account AND link.shop = ANY(:shops) AND product.listed
      AND (unconfirmed OR (link.title, link.price) <> (product.title, product.price))
      AND NOT EXISTS (SELECT FROM held WHERE held.shop = link.shop AND held.entity = 'product'
                      AND (held.id = link.product OR held.code = :unavailable) AND NOT ({RETRY_DUE}))
    ORDER BY link.shop, link.product LIMIT :limit
"""
_SKIP = """
    UPDATE product_links link SET title = product.title, price = product.price FROM products product
    WHERE (product.shop, product.product) = (link.shop, link.product) AND link.shop = ANY(:shops)
      AND (link.title, link.price) <> (product.title, product.price)
"""
