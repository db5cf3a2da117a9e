"""A month of a shop's orders as bars: where each one is drawn, in the units of a picture that a page scales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, floor, log10

from cartum_roapp.ledger.daily import Day

#: From the bottom of a bar to its top.
STATES = ("delivered", "waiting", "held")
WIDTH, HEIGHT = 400.0, 170.0
#: What the labels of the axes take on each side.
_LEFT, _RIGHT, _TOP, _BOTTOM = 30.0, 16.0, 12.0, 22.0
#: The share of a day's room that its bar takes.
_BAR = 0.75
#: A part is never lower: one held order stays visible among thousands.
_LEAST = 1.5
_MOST_LINES = 4


@dataclass(frozen=True)
class Part:
    """The orders of a day in one state."""

    state: str
    y: float
    height: float


@dataclass(frozen=True)
class Bar:
    """The orders of a day. `words` says the same as the bar."""

    x: float
    parts: tuple[Part, ...]
    words: str


@dataclass(frozen=True)
class Label:
    """A number beside the vertical axis, or a date below the horizontal one."""

    at: float
    text: str


@dataclass(frozen=True)
class Month:
    """Bars from left to right. `lines` lie behind them, the lowest first; `words` says what the picture shows."""

    bars: tuple[Bar, ...]
    bar_width: float
    lines: tuple[Label, ...]
    dates: tuple[Label, ...]
    words: str
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    width: float = WIDTH
    height: float = HEIGHT


def drawn(days: Sequence[Day]) -> Month | None:
    """Returns the bars of these days; None if no order was placed on any of them."""
    most = max((_placed(one) for one in days), default=0)
    if not most:
        return None
    step, top = _scale(most)
    room = (WIDTH - _LEFT - _RIGHT) / len(days)
    floor_, unit = HEIGHT - _BOTTOM, (HEIGHT - _TOP - _BOTTOM) / top
    starts = [_LEFT + place * room for place in range(len(days))]
    bars = tuple(
        Bar(round(start + room * (1 - _BAR) / 2, 1), _parts(one, floor_, unit), f"{one.day}: {_counts([one])}")
        for start, one in zip(starts, days, strict=True)
    )
    lines = tuple(Label(round(floor_ - n * unit, 1), f"{n:,}") for n in range(0, top + 1, step))
    # Each seventh day, and so that the last one has its date.
    dated = [place for place in range(len(days)) if (len(days) - 1 - place) % 7 == 0]
    dates = tuple(Label(round(starts[place] + room / 2, 1), _short(days[place].day)) for place in dated)
    words = f"Orders placed on each of the last {len(days)} days: {_counts(days)}"
    return Month(bars, round(room * _BAR, 1), lines, dates, words)


def _parts(day: Day, floor_: float, unit: float) -> tuple[Part, ...]:
    """Returns the parts of a bar that stands on `floor_`, without gaps between them."""
    found, below = [], round(floor_, 1)
    for state in STATES:
        if count := getattr(day, state):
            above = round(below - max(count * unit, _LEAST), 1)
            found.append(Part(state, above, round(below - above, 1)))
            below = above
    return tuple(found)


def _scale(most: int) -> tuple[int, int]:
    """Returns the step between two lines, which is 1, 2 or 5 times a power of ten, and the number at the top one."""
    power = 10 ** max(0, floor(log10(most / _MOST_LINES)))
    step = next(power * n for n in (1, 2, 5, 10) if most <= power * n * _MOST_LINES)
    return step, step * ceil(most / step)


def _placed(day: Day) -> int:
    return day.delivered + day.waiting + day.held


def _counts(days: Sequence[Day]) -> str:
    return ", ".join(f"{sum(getattr(one, state) for one in days):,} {state}" for state in STATES)


def _short(day: date) -> str:
    return f"{day:%d.%m.}"
