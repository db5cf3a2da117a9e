"""What happened to each order, RO App's own number of it, and which are compared with RO App anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "order_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_order_events"),
    )
    op.create_index("ix_order_events_shop_number", "order_events", ["shop", "number"], unique=False)
    op.create_index("ix_order_events_run", "order_events", ["run"], unique=False)
    op.create_index("ix_order_events_at", "order_events", ["at"], unique=False, postgresql_using="brin")
    no = sa.text("false")
    op.add_column("outbox", sa.Column("anew", sa.Boolean(), server_default=no, nullable=False))
    op.add_column("order_matches", sa.Column("roapp_number", sa.Text(), server_default="", nullable=False))
