"""The sandbox's own clock: real time plus an offset that a test may move."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta


class Clock:
    """`now()` is aware and in UTC. `shift()` moves the clock, for tokens, creation stamps and the import window."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self.offset = offset

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def shift(self, **units: float) -> None:
        """`shift(hours=2)`, `shift(days=-1)`: the keywords of `timedelta`. Adds up over calls."""
        self.offset += timedelta(**units)

    def stamp(self) -> str:
        """Now as RO App writes it: ISO 8601 to the second, with Z (roapp §1)."""
        return iso_z(self.now())


def iso_z(moment: datetime) -> str:
    """An aware moment as `2026-09-19T12:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def months_before(moment: datetime, months: int) -> datetime:
    """The same wall-clock time so many calendar months earlier; 30 April - 2 months = 28 (29) February."""
    index = moment.year * 12 + moment.month - 1 - months
    year, month = index // 12, index % 12 + 1
    return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))
