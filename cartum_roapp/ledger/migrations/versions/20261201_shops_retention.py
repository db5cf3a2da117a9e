"""After how many days a shop's buyers' data is removed, also once the shop is deleted."""

from __future__ import annotations

from alembic import op

revision = "20261201_06d47f74444f"
down_revision = "20261201_3d8b115d031f"


def upgrade() -> None:
    op.execute("ALTER TABLE shops ADD COLUMN retention_days INTEGER")
