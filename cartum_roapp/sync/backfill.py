"""One backfill, slice by slice: the newest orders first, with a cursor in the ledger. What a killed run has left is
gone on with when the same selection is started again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cartum_roapp.ledger import backfills
from cartum_roapp.ledger.orders import Priority
from cartum_roapp.sync.fetch import Found
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.selection import Selection
from cartum_roapp.sync.upsert import BackfillSlice, Reading, upsert

#: A slice of a selection by days. Where no orders are it becomes twice as long, again and again: a selection without a
#: first day reaches further back than any shop.
SLICE = timedelta(days=7)


@dataclass
class OpenBackfill:
    """A backfill of the ledger while a run reads it. `stored_from`: what was created from there to `until` is stored
    (UTC); None, nothing is. `went_on`: an earlier run has begun it. `missing`: named numbers that the shop lacks."""

    id: int
    since: datetime
    until: datetime
    whole: bool
    stored_from: datetime | None = None
    stored: bool = False
    went_on: bool = False
    missing: set[str] = field(default_factory=set)
    _slice: timedelta = SLICE

    def slices(self) -> Iterator[tuple[datetime, datetime]]:
        """Yields from when to when orders are to be read (UTC, both inclusive), from where it stopped; to be advanced
        when the slice before is stored. Nothing where all of it is."""
        while not self.stored and (end := self.stored_from or self.until) > self.since:
            yield self.since if self.whole else max(self.since, end - self._slice), end
            if self.stored_from is None or self.stored_from >= end:
                raise RuntimeError("a slice was not stored")

    def moved(self, since: datetime, *, empty: bool) -> None:
        """The slice that begins at `since` is stored."""
        self.stored_from = since
        self._slice = self._slice * 2 if empty else SLICE


def begin(run: Run, wanted: Selection) -> OpenBackfill:
    """Begins it, or goes on with an unfinished one of the same selection. Raises NotReady if another run works on that
    one."""
    found, went_on = backfills.begin(
        run.engine, run.shop.key, wanted.named, since=wanted.since, until=wanted.until, run=run.id
    )
    return OpenBackfill(
        found.id,
        found.since,
        found.until,
        whole=bool(wanted.numbers),
        stored_from=found.stored_from,
        stored=found.stored_at is not None,
        went_on=went_on,
    )


def store_slice(run: Run, backfill: OpenBackfill, since: datetime, found: Found, reading: Reading) -> None:
    """Stores what was read of a slice that begins at `since`, and moves the cursor. Raises Canceled, and what `upsert`
    raises. May be called twice."""
    part = BackfillSlice(backfill.id, since)
    upsert(run, reading, new_as=Priority.BACKFILL, changed_as=Priority.BACKFILL, part=part)
    backfill.missing |= found.missing
    backfill.moved(since, empty=not found.rows)


def close_reading(run: Run, backfill: OpenBackfill) -> None:
    """All of it is stored. Raises Canceled. May be called twice."""
    backfills.note_stored(run.engine, backfill.id)
    backfill.stored = True


def told(run: Run, backfill: OpenBackfill) -> dict[str, Any]:
    """Ends it, unless it was canceled. Returns what the run's result says of it beside the counts."""
    backfills.finish(run.engine, backfill.id)
    now = backfills.read(run.engine, backfill.id)
    return {
        "backfill": backfill.id,
        "state": now.state,
        "went_on": backfill.went_on,
        "taken_out": now.counts.get("taken_out", 0),
        "not_in_shop": sorted(backfill.missing, key=lambda number: (len(number), number)),
    }
