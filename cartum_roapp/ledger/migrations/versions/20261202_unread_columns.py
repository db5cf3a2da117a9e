"""What nothing read goes, and the index of statuses that travel both ways answers the question that is asked."""

from __future__ import annotations

from alembic import op

revision = "20261202_3186a33c594c"
down_revision = "20261201_47c3d19e147e"


def upgrade() -> None:
    op.execute("ALTER TABLE markers DROP COLUMN branch_id, DROP COLUMN order_type_id")
    op.execute("ALTER TABLE order_lines DROP COLUMN kind")
    op.execute("DROP INDEX ix_order_matches_staff_status")
    op.execute(
        "CREATE INDEX ix_order_matches_two_way ON order_matches (shop) "
        "WHERE staff_status IS NOT NULL OR shop_writes IS NOT NULL"
    )
