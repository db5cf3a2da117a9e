"""Which orders a reconciliation compares: a night takes a small part of a shop's history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Range = tuple[datetime, datetime]

#: Orders that have been final for longer are compared with the month in which they were created.
LONG_FINAL = timedelta(days=60)
#: So many nights share the older months: every calendar month has as many.
_NIGHTS = 28


@dataclass(frozen=True)
class Scope:
    """The orders created in the `ranges` (UTC, both ends inclusive, the oldest first); with `moving` also those of any
    age that are open, have been final for less than 60 days, are not delivered, or were missing in the shop before."""

    ranges: tuple[Range, ...] = ()
    moving: bool = False

    @classmethod
    def of_all(cls, since: datetime) -> Scope:
        return cls(((_second(since), datetime.max.replace(tzinfo=since.tzinfo)),))

    @classmethod
    def of_night(cls, since: datetime, recent: datetime, until: datetime, now: datetime, zone: ZoneInfo) -> Scope:
        """Returns the scope of the night of `now`: what was created from `recent` to `until`, what moves, and of the
        months from `since` to `recent` those whose turn it is. Each one has its turn in every calendar month; on the
        29th to the 31st some have it again."""
        since, recent = _second(since), _second(recent)
        tonight = (now.astimezone(zone).day - 1) % _NIGHTS
        turns = [month for number, month in _months(since, recent, zone) if number % _NIGHTS == tonight]
        return cls((*turns, (max(since, recent), until)), moving=True)

    @property
    def since(self) -> datetime:
        return self.ranges[0][0]

    @property
    def is_all(self) -> bool:
        return bool(self.ranges) and not self.moving

    def part(self, created_at: datetime) -> int:
        """Returns which part of the scope an order belongs to: one of the older months, or 0 for all the rest."""
        older = enumerate(self.ranges[:-1], 1)
        return next((place for place, (since, until) in older if since <= created_at <= until), 0)

    @property
    def parameters(self) -> dict[str, Any]:
        """Returns the parameters of `IN_SCOPE`."""
        return {
            "since": [since for since, _ in self.ranges],
            "until": [until for _, until in self.ranges],
            "moving": self.moving,
            "long_final": LONG_FINAL,
        }


#: Orders that are named by their numbers alone.
NOTHING = Scope()


def _months(since: datetime, until: datetime, zone: ZoneInfo) -> list[tuple[int, Range]]:
    """Returns the calendar months of the zone from `since` to `until`, numbered through all years, the first and the
    last one as far as they reach; [] where there is nothing between the two."""
    months: list[tuple[int, Range]] = []
    while since < until:
        local = since.astimezone(zone)
        begins = datetime(local.year + local.month // 12, local.month % 12 + 1, 1, tzinfo=zone)
        months.append((local.year * 12 + local.month, (since, min(begins.astimezone(since.tzinfo), until))))
        since = begins.astimezone(since.tzinfo)
    return months


def _second(moment: datetime) -> datetime:
    """The shop's times have no fractions."""
    return moment.replace(microsecond=0)


#: A condition on rows of `orders`, with `Scope.parameters`.
IN_SCOPE = """(
    EXISTS (SELECT FROM unnest(CAST(:since AS timestamptz[]), CAST(:until AS timestamptz[])) span (since, until)
            WHERE orders.created_at BETWEEN span.since AND span.until)
    OR :moving AND (orders.final_since IS NULL AND orders.gone_at IS NULL
                    OR orders.final_since > now() - CAST(:long_final AS interval)
                    OR jsonb_exists((SELECT missed FROM shops WHERE key = :shop), orders.number)
                    OR NOT EXISTS (SELECT FROM outbox done WHERE (done.shop, done.number) = (orders.shop, orders.number)
                                   AND NOT done.held AND done.wanted_version <= done.delivered_version)))"""
