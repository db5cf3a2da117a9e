"""Why a contact was taken, and what a product was made from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

_MONEY = sa.Numeric(precision=18, scale=4)


def upgrade() -> None:
    """Each block is one subject's."""
    # What changed on one side or on both: statuses, staff's own lines, the shop's catalogue.
    numbers = postgresql.ARRAY(sa.BigInteger())
    op.add_column("accounts", sa.Column("comment_statuses", numbers, server_default="{}", nullable=False))
    op.add_column("shops", sa.Column("status_names", postgresql.JSONB(), nullable=True))
    op.create_table(
        "staff_lines",
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.ForeignKeyConstraint(["shop"], ["shops.key"], name="fk_staff_lines_shop", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop", "number", "item_id", name="pk_staff_lines"),
    )
    op.add_column("order_matches", sa.Column("restore_status", sa.Integer(), nullable=True))
    op.add_column("order_matches", sa.Column("told_hash", sa.Text(), nullable=True))
    op.create_table(
        "shop_writes",
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("status_id", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="1", nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.ForeignKeyConstraint(["shop"], ["shops.key"], name="fk_shop_writes_shop", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop", "number", "status_id", name="pk_shop_writes"),
    )
    op.create_table(
        "status_contests",
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("shop_status", sa.Text(), nullable=False),
        sa.Column("roapp_status", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["shop"], ["shops.key"], name="fk_status_contests_shop", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop", "number", "at", name="pk_status_contests"),
    )
    op.create_index("ix_status_contests_shop_at", "status_contests", ["shop", "at"], unique=False)
    op.create_table(
        "catalogue_failures",
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("tried", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("runs", sa.Integer(), server_default="1", nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("for_good", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["shop"], ["shops.key"], name="fk_catalogue_failures_shop", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop", name="pk_catalogue_failures"),
    )
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
    # Buyers.
    for name in ("buyer_phones", "phone_remark", "company", "company_number", "company_tax"):
        op.add_column("orders", sa.Column(name, sa.Text(), server_default="", nullable=False))
    for name in ("phones", "reason"):
        op.add_column("contact_matches", sa.Column(name, sa.Text(), server_default="", nullable=False))
    no = sa.text("false")
    op.add_column("contact_matches", sa.Column("organization", sa.Boolean(), server_default=no, nullable=False))
