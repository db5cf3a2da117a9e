"""That an account takes no new products is believed for a while, not for ever."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("accounts", sa.Column("product_writes_at", sa.DateTime(timezone=True), nullable=True))
