"""Runs are found by when they ended, and those with details among them."""

from __future__ import annotations

from alembic import op

revision = "20261201_d4a43968172e"
down_revision = "20261130_5e88a8b8dd3a"


def upgrade() -> None:
    op.execute("CREATE INDEX ix_runs_finished_at ON runs USING brin (finished_at)")
    op.execute(
        "CREATE INDEX ix_runs_details ON runs (finished_at) WHERE counts ?| "
        "ARRAY['findings', 'days', 'currencies', 'records', 'resent', 'left_out', 'not_in_shop']"
    )
