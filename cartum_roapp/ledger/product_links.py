"""Which product of RO App is which: rows of `links` of the kind `product`, one for each key.

A key is what identifies a product in all shops of the account (`code:cap-2`), or the product of one shop
(`SHOPKEY/article:cap-2`): what it was taken for last, or what a person has chosen for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

#: RO App made it and did not store what identifies it: of no use until a person has done so, and no other is made.
UNSTORED = "made without it"


@dataclass(frozen=True)
class ProductLink:
    """RO App's product of a key. `reason`: how it was found; of a shop's product the identity by which it was, like
    "code:cap-2". `chosen_at`: when a person chose it (UTC), None where nobody did."""

    key: str
    ro_id: int
    reason: str
    chosen_at: datetime | None = None


_COLUMNS = ", ".join(ProductLink.__dataclass_fields__)
_VALUES = ", ".join(f":{name}" for name in ProductLink.__dataclass_fields__)
_PRODUCTS = "FROM links WHERE account = :account AND kind = 'product'"


def key(shop: str, product: str) -> str:
    """The key of a product of this shop."""
    return f"{shop}/{product}"


def read(connection: Connection, account: str, keys: Iterable[str]) -> dict[str, ProductLink]:
    """Key → link, of those that have one."""
    query = text(f"SELECT {_COLUMNS} {_PRODUCTS} AND key = ANY(:keys)")
    rows = connection.execute(query, {"account": account, "keys": list(keys)})
    return {row.key: ProductLink(**row._mapping) for row in rows}


def store(connection: Connection, account: str, links: Iterable[ProductLink]) -> None:
    """Stores links in place of earlier ones, except where a person chose another one."""
    for link in links:
        connection.execute(text(_STORE), {"account": account, **vars(link)})


def drop(connection: Connection, account: str, keys: Collection[str]) -> None:
    """Removes these links, as RO App lacks the products."""
    query = text(f"DELETE {_PRODUCTS} AND key = ANY(:keys) AND chosen_at IS NULL")
    connection.execute(query, {"account": account, "keys": list(keys)})


def remove(connection: Connection, account: str, ro_id: int) -> None:
    """Removes the links to a product that RO App no longer takes. A person's choice stays."""
    query = text(f"DELETE {_PRODUCTS} AND ro_id = :ro_id AND chosen_at IS NULL")
    connection.execute(query, {"account": account, "ro_id": ro_id})


def forget_shop(connection: Connection, shop: str) -> None:
    """Forgets what is known of this shop's products; those of the account stay known."""
    query = "DELETE FROM links WHERE kind = 'product' AND starts_with(key, :shop || '/')"
    connection.execute(text(query), {"shop": shop})


def of_others(connection: Connection, account: str, shop: str, product: str, ids: Collection[int]) -> set[int]:
    """Returns those of RO App's products that are another product of this shop: by its link, or because they carry its
    article as code or SKU. A product that the shop's catalogue no longer has does not count."""
    values = {"account": account, "shop": shop, "product": product, "ids": list(ids)}
    return set(connection.scalars(text(_OF_OTHERS), values)) if ids else set()


def has_another_article(connection: Connection, account: str, shop: str, article: str, ro_id: int) -> bool:
    """Returns whether RO App's product carries another article of this shop as code or SKU, and not this one. One that
    the shop's catalogue no longer has does not count."""
    values = {"account": account, "shop": shop, "article": article, "ro_id": ro_id}
    return bool(connection.scalar(text(_HAS_ANOTHER), values))


_STORE = f"""
    INSERT INTO links AS known (account, kind, {_COLUMNS}) VALUES (:account, 'product', {_VALUES})
    ON CONFLICT (account, key) WHERE kind = 'product' DO UPDATE SET
        ro_id = excluded.ro_id, reason = excluded.reason, chosen_at = excluded.chosen_at
    WHERE known.chosen_at IS NULL OR excluded.chosen_at IS NOT NULL
"""
_OF_OTHERS = """
    SELECT link.ro_id FROM links link JOIN products other ON other.product = substr(link.key, length(:shop) + 2)
    WHERE link.account = :account AND link.kind = 'product' AND link.ro_id = ANY(:ids)
      AND starts_with(link.key, :shop || '/') AND other.shop = :shop
      AND other.product <> :product AND (other.listed OR other.read_at IS NULL)
    UNION SELECT row.ro_id FROM catalogue row
    JOIN products other ON lower(other.article) IN (lower(row.code), lower(row.sku))
    WHERE row.account = :account AND row.ro_id = ANY(:ids) AND other.shop = :shop AND other.article <> ''
      AND other.product <> :product AND (other.listed OR other.read_at IS NULL)
"""
_HAS_ANOTHER = """
    SELECT EXISTS (
        SELECT FROM catalogue row JOIN products other ON lower(other.article) IN (lower(row.code), lower(row.sku))
        WHERE row.account = :account AND row.ro_id = :ro_id AND other.shop = :shop AND other.article <> ''
          AND lower(:article) NOT IN (lower(row.code), lower(row.sku)) AND (other.listed OR other.read_at IS NULL)
    )
"""
