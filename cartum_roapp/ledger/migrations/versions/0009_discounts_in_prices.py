"""The orders whose unit prices carry the discount, as no discount of lines gave their total."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column(
        "order_matches",
        sa.Column("discount_in_prices", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )
