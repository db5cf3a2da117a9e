"""Which product of RO App a shop's product is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class ProductLink:
    """RO App's product `ro_id` of the account, found or made by `identity` ("code:CAP-2")."""

    account: str
    ro_id: int
    identity: str


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
    """Stores links in place of earlier ones. May be called twice."""
    for product, link in links.items():
        connection.execute(text(_STORE), {"shop": shop, "product": product, **vars(link)})


def drop(connection: Connection, shop: str, products: Collection[str]) -> None:
    """RO App lacks these products of the shop."""
    connection.execute(
        text("DELETE FROM product_links WHERE shop = :shop AND product = ANY(:products)"),
        {"shop": shop, "products": list(products)},
    )


def remove(connection: Connection, account: str, ro_id: int) -> None:
    """RO App no longer takes this product."""
    connection.execute(
        text("DELETE FROM product_links WHERE account = :account AND ro_id = :ro_id"),
        {"account": account, "ro_id": ro_id},
    )


_STORE = """
    INSERT INTO product_links (shop, product, account, ro_id, identity)
    VALUES (:shop, :product, :account, :ro_id, :identity)
    ON CONFLICT (shop, product) DO UPDATE SET
        account = excluded.account, ro_id = excluded.ro_id, identity = excluded.identity
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
