"""Why a contact was taken, and what a product was made from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"


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
