"""A call that was announced and never sent is told apart from one that may have been sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("intents", sa.Column("announced_in", sa.Text(), nullable=True))
