"""Which status of the shop is a write of ours that arrived, and which one its manager has set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cartum_roapp.ledger.agreed import Agreed
from cartum_roapp.ledger.staff_statuses import Shared

NOW = datetime(2026, 12, 1, tzinfo=UTC)
STAFF_SET, AGREED, SHOP_HAS = 7, 1, 6


@pytest.mark.parametrize(
    ("tried", "agreed", "ours"),
    [
        (timedelta(minutes=1), timedelta(hours=1), True),
        (timedelta(hours=2), timedelta(days=1), True),
        (timedelta(weeks=3), timedelta(days=1), False),
    ],
)
def test_a_try_counts_since_both_sides_agreed_last(tried: timedelta, agreed: timedelta, ours: bool) -> None:
    known = Shared(
        "1", 1, "", Agreed.on(AGREED, AGREED), SHOP_HAS, STAFF_SET, ((SHOP_HAS, NOW - tried),), NOW, NOW - agreed
    )
    assert known.came_from_us is ours
