"""After how many days a shop's buyers' data is removed, also once the shop is deleted."""

from __future__ import annotations

from alembic import op

revision = "20261201_47c3d19e147e"
down_revision = "20261201_d4a43968172e"


def upgrade() -> None:
    op.execute("ALTER TABLE shops ADD COLUMN retention_days INTEGER")
