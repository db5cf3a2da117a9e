"""What an order's total is made of, and what the shop's statuses were matched with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

_MONEY = sa.Numeric(precision=18, scale=4)
_FALSE = sa.text("false")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("line_discounts", sa.Text(), server_default="unknown", nullable=False))
    op.add_column("orders", sa.Column("payment_price", _MONEY, nullable=True))
    op.add_column("orders", sa.Column("without_callback", sa.Boolean(), server_default=_FALSE, nullable=False))
    op.add_column("order_matches", sa.Column("total_due", sa.Boolean(), server_default=_FALSE, nullable=False))
    op.create_index(
        "ix_order_matches_total_due", "order_matches", ["account"], unique=False, postgresql_where=sa.text("total_due")
    )
    op.add_column("shops", sa.Column("statuses", postgresql.JSONB(), nullable=True))
    op.add_column("order_matches", sa.Column("moved_from", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_order_matches_moved_from",
        "order_matches",
        ["shop"],
        unique=False,
        postgresql_where=sa.text("moved_from IS NOT NULL"),
    )
    op.add_column("line_matches", sa.Column("amount", _MONEY, server_default="0", nullable=True))
    op.add_column("line_matches", sa.Column("percentage", _MONEY, server_default="0", nullable=True))
