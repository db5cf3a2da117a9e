"""What RO App calls its statuses, for the form that matches one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("accounts", sa.Column("status_names", postgresql.JSONB(), nullable=True))
