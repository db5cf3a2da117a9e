"""The digest of the shop's row beside each order."""

from __future__ import annotations

from alembic import op

revision = "20261130_fb5fdcef8754"
down_revision = "20261129_3cba634e8336"


def upgrade() -> None:
    op.execute("ALTER TABLE orders ADD COLUMN row_digest TEXT DEFAULT '' NOT NULL")
