"""What a person decided about a held record: leave it, or make its order again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("held", sa.Column("dismissed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "order_matches", sa.Column("make_again", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
