"""The digest of the shop's row beside each order."""

from __future__ import annotations

from alembic import op

revision = "20261130_5e88a8b8dd3a"
down_revision = "20261129_ff6d6a2c8703"


def upgrade() -> None:
    op.execute("ALTER TABLE orders ADD COLUMN row_digest TEXT DEFAULT '' NOT NULL")
