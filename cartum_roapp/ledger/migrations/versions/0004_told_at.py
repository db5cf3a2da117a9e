"""Each held record is told once, whichever run held it and however many run at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("held", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(sa.text("UPDATE held SET told_at = last_at"))
