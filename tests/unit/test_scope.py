"""Which orders a night compares, of a history of any length."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cartum_roapp.ledger.scope import Scope
from cartum_roapp.ledger.shops import two_months_before
from cartum_roapp.sync import sentence

KYIV = ZoneInfo("Europe/Kyiv")
NOW = datetime(2026, 12, 1, 1, 30, tzinfo=UTC)
UNTIL = timedelta(days=1)


def _night(since: datetime, now: datetime = NOW) -> Scope:
    return Scope.of_night(since, two_months_before(now, "Europe/Kyiv"), now + UNTIL, now, KYIV)


@pytest.mark.parametrize("days", [61, 30, 0])
def test_a_young_shop_is_compared_whole(days: int) -> None:
    since = NOW - timedelta(days=days)
    assert _night(since).ranges == ((since, NOW + UNTIL),)


@pytest.mark.parametrize("since", [datetime(2016, 2, 17, 11, tzinfo=UTC), datetime(2026, 9, 12, 4, tzinfo=UTC)])
def test_each_order_has_its_night_in_every_month(since: datetime) -> None:
    """Whatever its age; and no night has much more to do than the others."""
    placed = [since + timedelta(days=day) for day in range((NOW - since).days)]
    last = dict.fromkeys(placed, NOW)
    for night in range(400):
        now = NOW + timedelta(days=night)
        ranges = _night(since, now).ranges
        assert len(ranges) <= 2 + (now - since).days / 30 / 28
        for one in placed:
            if any(begin <= one <= end for begin, end in ranges):
                last[one] = now
            assert now - last[one] < timedelta(days=32)


def test_the_months_are_those_of_the_shop() -> None:
    since = datetime(2023, 1, 1, tzinfo=UTC)
    older = {one for night in range(31) for one in _night(since, NOW + timedelta(days=night)).ranges[:-1]}
    begins = sorted(begin for begin, _ in older)
    assert begins[0] == since
    assert all(begin.astimezone(KYIV).day == 1 and begin.astimezone(KYIV).hour == 0 for begin in begins[1:])


def test_it_says_what_was_compared() -> None:
    since = datetime(2025, 11, 30, 22, tzinfo=UTC)
    assert sentence.of_scope(Scope.of_all(since), KYIV) == "All orders since 2025-12-01 were compared."
    said = {sentence.of_scope(_night(since, NOW + timedelta(days=night)), KYIV) for night in range(28)}
    february = "Compared: orders since 2026-10-11, orders from 2026-02-01 to 2026-02-28, and all that are open or "
    assert february + "were final for less than 60 days." in said, said
