"""When an unclear call may be sent again depends on how it ended: that moment is stored in place of its deadline."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.alter_column("intents", "deadline", new_column_name="resend_at")
    op.execute(sa.text("UPDATE intents SET resend_at = resend_at + interval '75 seconds' WHERE settled_at IS NULL"))
