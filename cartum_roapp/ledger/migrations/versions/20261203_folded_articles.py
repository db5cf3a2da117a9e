"""Letter case of an article makes no second product: keys are case-folded, what is written stays as it is."""

from __future__ import annotations

from alembic import op

revision = "20261203_dbad8421a506"
down_revision = "20261202_3186a33c594c"

#: Those that no other product of the shop differs from in letter case alone.
_ALONE = """
    SELECT shop, product, lower(product) AS folded FROM products one
    WHERE product LIKE 'article:%' AND product <> lower(product) AND NOT EXISTS (
        SELECT FROM products other WHERE other.shop = one.shop AND other.product <> one.product
        AND lower(other.product) = lower(one.product))
"""


def upgrade() -> None:
    for name in ("code", "sku"):
        op.execute(f"DROP INDEX ix_catalogue_account_{name}")
        op.execute(f"CREATE INDEX ix_catalogue_account_{name} ON catalogue (account, lower({name}))")
    for table in ("order_lines", "agreed_lines"):
        op.execute(
            f"UPDATE {table} line SET product = alone.folded FROM ({_ALONE}) alone "
            "WHERE (line.shop, line.product) = (alone.shop, alone.product)"
        )
    op.execute(
        f"UPDATE links SET key = alone.shop || '/' || alone.folded FROM ({_ALONE}) alone "
        "WHERE links.kind = 'product' AND links.key = alone.shop || '/' || alone.product"
    )
    op.execute(
        f"UPDATE products SET product = alone.folded FROM ({_ALONE}) alone "
        "WHERE (products.shop, products.product) = (alone.shop, alone.product)"
    )
