"""Why a contact was taken, and what a product was made from."""

from __future__ import annotations

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Empty until its first column."""
