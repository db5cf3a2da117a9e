"""Why a contact was taken, and what a product was made from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_MONEY = sa.Numeric(precision=18, scale=4)


def upgrade() -> None:
    # Products: what the shop's catalogue says of them, and which of RO App's they are.
    op.add_column("products", sa.Column("listed", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("products", sa.Column("read_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "product_links",
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("ro_id", sa.BigInteger(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("price", _MONEY, nullable=False),
        sa.ForeignKeyConstraint(["shop"], ["shops.key"], name=op.f("fk_product_links_shop"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop", "product", name=op.f("pk_product_links")),
    )
    op.create_table(
        "missing_products",
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["shop"], ["shops.key"], name=op.f("fk_missing_products_shop"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop", "product", name=op.f("pk_missing_products")),
    )
    op.create_index("ix_product_links_account_ro_id", "product_links", ["account", "ro_id"], unique=False)
