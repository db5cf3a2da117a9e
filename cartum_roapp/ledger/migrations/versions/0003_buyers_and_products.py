"""Why a contact was taken, and what a product was made from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # Buyers.
    for name in ("buyer_phones", "phone_remark", "company", "company_number", "company_tax"):
        op.add_column("orders", sa.Column(name, sa.Text(), server_default="", nullable=False))
    for name in ("phones", "reason"):
        op.add_column("contact_matches", sa.Column(name, sa.Text(), server_default="", nullable=False))
    no = sa.text("false")
    op.add_column("contact_matches", sa.Column("organization", sa.Boolean(), server_default=no, nullable=False))
