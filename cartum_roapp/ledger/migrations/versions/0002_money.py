"""What an order's total is made of: payment's price, discounts of lines as sent, what the account makes of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

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
    op.add_column("line_matches", sa.Column("amount", _MONEY, server_default="0", nullable=True))
    op.add_column("line_matches", sa.Column("percentage", _MONEY, server_default="0", nullable=True))
