"""Which orders a night compares, of a history of any length."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cartum_roapp.ledger.scope import Scope
from cartum_roapp.sync import sentence

KYIV = ZoneInfo("Europe/Kyiv")
NOW = datetime(2026, 12, 1, 1, 30, tzinfo=UTC)
RECENT, UNTIL = datetime(2026, 10, 1, 1, 30, tzinfo=UTC), NOW + timedelta(days=1)


def _night(since: datetime, now: datetime = NOW) -> Scope:
    return Scope.of_night(since, RECENT, UNTIL, now, KYIV)


@pytest.mark.parametrize("since", [RECENT, RECENT + timedelta(days=40), UNTIL - timedelta(hours=1)])
def test_a_young_shop_is_compared_whole(since: datetime) -> None:
    assert _night(since).ranges == ((since, UNTIL),)


@pytest.mark.parametrize("since", [datetime(2024, 2, 17, 11, tzinfo=UTC), RECENT - timedelta(seconds=1)])
def test_each_older_month_has_its_night(since: datetime) -> None:
    months = Counter[tuple[datetime, datetime]]()
    nights = 2 * (len({(day.year, day.month) for day in _days(since)}) or 1)
    for night in range(nights):
        older, recent = _night(since, NOW + timedelta(days=night)).ranges
        assert recent == (RECENT, UNTIL)
        months[older] += 1
    assert set(months.values()) == {2}
    begins = sorted(months)
    assert (begins[0][0], begins[-1][1]) == (since, RECENT)
    assert all(one[1] == following[0] for one, following in itertools.pairwise(begins))
    assert all(begin.astimezone(KYIV).day == 1 for begin, _ in begins[1:])


def test_it_says_what_was_compared() -> None:
    since = datetime(2025, 11, 30, 22, tzinfo=UTC)
    assert sentence.of_scope(Scope.of_all(since, UNTIL), KYIV) == "All orders since 2025-12-01 were compared."
    said = {sentence.of_scope(_night(since, NOW + timedelta(days=night)), KYIV) for night in range(11)}
    february = "Compared: orders since 2026-10-01, orders from 2026-02-01 to 2026-02-28, and all that are open or "
    assert february + "were final for less than 60 days." in said
    assert len(said) == 11


def _days(since: datetime) -> list[datetime]:
    first, last = since.astimezone(KYIV), (RECENT - timedelta(seconds=1)).astimezone(KYIV)
    return [first + timedelta(days=day) for day in range((last.date() - first.date()).days + 1)]
