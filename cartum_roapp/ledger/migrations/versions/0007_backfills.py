"""Backfills with a cursor and a queue of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

_STAMP = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "backfills",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("selection", postgresql.JSONB(), nullable=False),
        sa.Column("since", _STAMP, nullable=False),
        sa.Column("until", _STAMP, nullable=False),
        sa.Column("stored_from", _STAMP, nullable=True),
        sa.Column("stored_at", _STAMP, nullable=True),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("delivering_since", _STAMP, nullable=True),
        sa.Column("delivered_before", sa.Integer(), server_default="0", nullable=False),
        sa.Column("counts", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("started_at", _STAMP, server_default=sa.func.now(), nullable=False),
        sa.Column("ended_at", _STAMP, nullable=True),
        sa.ForeignKeyConstraint(["shop"], ["shops.key"], name="fk_backfills_shop", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_backfills"),
    )
    op.create_index("ix_backfills_shop", "backfills", ["shop"], unique=False)
    op.create_table(
        "backfill_orders",
        sa.Column("backfill", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["backfill"], ["backfills.id"], name="fk_backfill_orders_backfill", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("backfill", "number", name="pk_backfill_orders"),
    )
