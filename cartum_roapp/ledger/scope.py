"""Which orders a reconciliation compares. A night's work does not grow with the shop's history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Range = tuple[datetime, datetime]

#: Orders that have been final for longer are compared with the month in which they were created.
FINAL_FOR = timedelta(days=60)


@dataclass(frozen=True)
class Scope:
    """The orders created in the `ranges` (UTC, both ends inclusive, the oldest first); with `moving` also those of any
    age that are open, have been final for less than 60 days, or are not delivered."""

    ranges: tuple[Range, ...] = ()
    moving: bool = False

    @classmethod
    def of_all(cls, since: datetime, until: datetime) -> Scope:
        return cls(((since, until),))

    @classmethod
    def of_night(cls, since: datetime, recent: datetime, until: datetime, now: datetime, zone: ZoneInfo) -> Scope:
        """Returns the scope of the night of `now`: what was created from `recent` to `until`, what moves, and one of
        the months from `since` to `recent`: each night another one, until all have had their turn."""
        older = _months(since, recent, zone)
        turn = older[now.astimezone(zone).toordinal() % len(older)] if older else None
        return cls((*([turn] if turn else []), (max(since, recent), until)), moving=True)

    @property
    def since(self) -> datetime:
        return self.ranges[0][0]

    @property
    def is_all(self) -> bool:
        return not self.moving

    @property
    def parameters(self) -> dict[str, Any]:
        """Returns the parameters of `IN_SCOPE`."""
        return {
            "since": [since for since, _ in self.ranges],
            "until": [until for _, until in self.ranges],
            "moving": self.moving,
            "long_final": FINAL_FOR,
        }


def _months(since: datetime, until: datetime, zone: ZoneInfo) -> list[Range]:
    """Returns the calendar months of the zone from `since` to `until`, the first and the last one as far as they reach;
    [] where there is nothing between the two."""
    months: list[Range] = []
    while since < until:
        local = since.astimezone(zone)
        begins = datetime(local.year + local.month // 12, local.month % 12 + 1, 1, tzinfo=zone)
        months.append((since, min(begins, until)))
        since = begins.astimezone(since.tzinfo)
    return months


#: A condition on rows of `orders`, with `Scope.parameters`.
IN_SCOPE = """(
    EXISTS (SELECT FROM unnest(CAST(:since AS timestamptz[]), CAST(:until AS timestamptz[])) span (since, until)
            WHERE orders.created_at BETWEEN span.since AND span.until)
    OR :moving AND (orders.final_since IS NULL AND orders.gone_at IS NULL
                    OR orders.final_since > now() - CAST(:long_final AS interval)
                    OR NOT EXISTS (SELECT FROM outbox done WHERE (done.shop, done.number) = (orders.shop, orders.number)
                                   AND NOT done.held AND done.wanted_version <= done.delivered_version)))"""
