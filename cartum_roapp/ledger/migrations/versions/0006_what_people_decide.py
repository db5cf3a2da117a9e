"""What people decide: contacts and products that they choose, and why they dismiss a record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "chosen_products",
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("ro_id", sa.BigInteger(), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.ForeignKeyConstraint(["shop"], ["shops.key"], name="fk_chosen_products_shop", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop", "product", name="pk_chosen_products"),
    )
    op.add_column("contact_matches", sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("held", sa.Column("dismissed_because", sa.Text(), server_default="", nullable=False))
