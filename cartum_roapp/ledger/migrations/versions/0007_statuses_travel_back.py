"""What staff set in RO App may travel back into the shop."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("shops", sa.Column("statuses_read_to", sa.DateTime(timezone=True), nullable=True))
    op.add_column("order_matches", sa.Column("roapp_status", sa.BigInteger(), nullable=True))
    op.add_column("order_matches", sa.Column("staff_status", sa.BigInteger(), nullable=True))
    op.add_column("order_matches", sa.Column("written_status", sa.Integer(), nullable=True))
    op.add_column("order_matches", sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_order_matches_staff_status",
        "order_matches",
        ["shop"],
        postgresql_where=sa.text("staff_status IS NOT NULL"),
    )
