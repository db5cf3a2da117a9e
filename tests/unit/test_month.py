"""A month of orders as bars: what is where, at any size."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartum_roapp.ledger.daily import Day
from cartum_roapp.report.month import Month, Part, drawn

LAST = date(2026, 11, 30)


def days(*counts: tuple[int, int, int]) -> list[Day]:
    """Days up to the last one, with so many orders delivered, waiting and held."""
    first = LAST - timedelta(days=len(counts) - 1)
    return [Day(first + timedelta(days=n), *three) for n, three in enumerate(counts)]


def month(*counts: tuple[int, int, int]) -> Month:
    found = drawn(days(*counts))
    assert found is not None
    return found


def test_without_an_order_there_is_no_picture() -> None:
    assert drawn([]) is None
    assert drawn(days(*[(0, 0, 0)] * 30)) is None
    assert drawn([Day(LAST, calls=9)]) is None


def test_the_parts_of_a_day_lie_upon_each_other_in_proportion() -> None:
    whole = month((4, 2, 2)).bars[0].parts
    assert [part.state for part in whole] == ["delivered", "waiting", "held"]
    assert [part.height for part in whole] == [68.0, 34.0, 34.0]
    assert [part.y + part.height for part in whole] == [148.0, 80.0, 46.0]
    assert month((0, 3, 0)).bars[0].parts == (Part("waiting", 12.0, 136.0),)


def test_one_held_order_is_visible_among_thousands() -> None:
    delivered, held = month((9_999, 0, 1)).bars[0].parts
    assert held.height == 1.5 and held.y + held.height == delivered.y


def test_an_empty_day_keeps_its_place() -> None:
    bars = month((1, 0, 0), (0, 0, 0), (1, 0, 0)).bars
    assert [len(bar.parts) for bar in bars] == [1, 0, 1]
    assert bars[1].x - bars[0].x == pytest.approx(bars[2].x - bars[1].x, abs=0.2)


@pytest.mark.parametrize(
    ("most", "labels"),
    [
        (1, ["0", "1"]),
        (3, ["0", "1", "2", "3"]),
        (5, ["0", "2", "4", "6"]),
        (17, ["0", "5", "10", "15", "20"]),
        (100, ["0", "50", "100"]),
        (3_400, ["0", "1,000", "2,000", "3,000", "4,000"]),
    ],
)
def test_the_axis_has_few_round_numbers(most: int, labels: list[str]) -> None:
    lines = month((most, 0, 0)).lines
    assert [line.text for line in lines] == labels
    assert (lines[0].at, lines[-1].at) == (148.0, 12.0)


def test_the_last_day_and_each_seventh_before_it_have_a_date() -> None:
    shown = month(*[(1, 0, 0)] * 30)
    assert [one.text for one in shown.dates] == ["02.11.", "09.11.", "16.11.", "23.11.", "30.11."]
    middle = shown.bars[-1].x + shown.bar_width / 2
    assert shown.dates[-1].at == pytest.approx(middle, abs=0.2)


def test_it_is_said_in_words_too() -> None:
    shown = month((1_200, 0, 1), (3, 2, 0))
    assert shown.words == "Orders placed on each of the last 2 days: 1,203 delivered, 2 waiting, 1 held"
    assert shown.bars[1].words == "2026-11-30: 3 delivered, 2 waiting, 0 held"


@given(st.lists(st.tuples(*[st.integers(0, 10**6)] * 3), min_size=1, max_size=92))
def test_everything_is_within_the_picture(counts: list[tuple[int, int, int]]) -> None:
    shown = drawn(days(*counts))
    if shown is None:
        assert not any(map(any, counts))
        return
    assert 2 <= len(shown.lines) <= 5
    for bar in shown.bars:
        assert shown.left <= bar.x and bar.x + shown.bar_width <= shown.right + 0.1
        for lower, upper in zip(bar.parts, bar.parts[1:], strict=False):
            assert upper.y + upper.height == pytest.approx(lower.y)
        assert all(part.height > 0 and part.y >= 0 for part in bar.parts)
        assert not bar.parts or bar.parts[0].y + bar.parts[0].height == pytest.approx(148.0)
