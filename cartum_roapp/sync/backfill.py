"""One backfill, slice by slice: the newest orders first, with a cursor in the ledger. What a killed run has left is
continued when the same selection is started again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from cartum_roapp.ledger import backfills, runs
from cartum_roapp.ledger.backfills import Backfill
from cartum_roapp.ledger.orders import Priority
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.selection import Selection
from cartum_roapp.sync.upsert import BackfillSlice, Reading, upsert

#: A slice of a selection by days. It doubles as long as there are no orders: a selection without a first day reaches
#: further back than any shop.
SLICE = timedelta(days=7)


@dataclass
class Slices:
    """The parts of a selection that are still to be read, the newest first; named numbers are one part. To be advanced
    after `moved`."""

    since: datetime
    until: datetime
    whole: bool
    _length: timedelta = SLICE

    @classmethod
    def of(cls, selected: Selection) -> Slices:
        return cls(selected.since, selected.until, bool(selected.numbers))

    def __iter__(self) -> Iterator[tuple[datetime, datetime]]:
        """Yields from when to when orders are to be read (UTC, both inclusive)."""
        while (end := self.until) > self.since:
            yield self.since if self.whole else max(self.since, end - self._length), end
            if self.until >= end:
                raise RuntimeError("a slice was not stored")

    def moved(self, since: datetime, *, empty: bool) -> None:
        """The slice that begins at `since` is stored."""
        self.until = since
        self._length = self._length * 2 if empty else SLICE


@dataclass
class OpenBackfill:
    """A backfill of the ledger while a run reads it. `went_on`: an earlier run has begun it. `missing`: named numbers
    that the shop lacks."""

    id: int
    slices: Slices
    went_on: bool = False
    missing: set[str] = field(default_factory=set)


def begin(run: Run, selected: Selection) -> OpenBackfill:
    """Begins it, or continues an unfinished one of the same selection. Raises NotReady if another run works on that
    one."""
    found, went_on = backfills.begin(
        run.engine, run.shop.key, selected.named, since=selected.since, until=selected.until, run=run.id
    )
    left = found.since if found.stored_at else found.stored_from or found.until
    # On the shop's clock, a week before the end of a day is the end of a day, also where the clocks changed between.
    slices = Slices(found.since, left.astimezone(run.zone), bool(selected.numbers))
    return OpenBackfill(found.id, slices, went_on)


def store_part(run: Run, backfill: OpenBackfill, since: datetime, reading: Reading) -> None:
    """Stores what was read of a slice, and moves the cursor to `since`: the beginning of the slice with its last part,
    its end with an earlier one. Raises Canceled, and what `upsert` raises. Idempotent."""
    part = BackfillSlice(backfill.id, since)
    upsert(run, reading, new_as=Priority.BACKFILL, changed_as=Priority.BACKFILL, part=part)


def close_reading(run: Run, backfill: OpenBackfill) -> None:
    """All of it is stored. Raises Canceled. Idempotent."""
    backfills.note_stored(run.engine, backfill.id)


def became(run: Run, backfill: OpenBackfill) -> dict[str, Any]:
    """Ends it, unless it was canceled. Returns what the run's result says of it beside the counts."""
    backfills.finish(run.engine, backfill.id)
    now = backfills.read(run.engine, backfill.id)
    return {
        "backfill": backfill.id,
        "state": now.state,
        "went_on": backfill.went_on,
        "taken_out": now.counts.get("taken_out", 0),
        "begun": now.counts.get("begun", 0),
        "not_in_shop": sorted(backfill.missing, key=lambda number: (len(number), number)),
    }


def document(engine: Engine, slug: str, one: Backfill) -> dict[str, Any]:
    """Returns how far a backfill is. Of a canceled one `begun` orders are delivered
    all the same."""
    state = one.state
    if state == "open":
        alive = runs.is_alive(engine, one.run)
        at_work = "reading" if one.stored_at is None else "delivering"
        state = "done" if one.is_through and not alive else at_work if alive or one.stored_at else "broken off"
    return {
        "id": one.id,
        "shop": slug,
        "what": one.what,
        **one.selection,
        "state": state,
        "read": one.counts.get("seen", 0),
        "new": one.counts.get("new", 0),
        "changed": one.counts.get("changed", 0),
        "delivered": one.delivered,
        "held": one.held,
        "waiting": one.waiting,
        "taken_out": one.counts.get("taken_out", 0),
        "begun": one.counts.get("begun", 0),
        "read_back_to": one.stored_from,
        "started_at": one.started_at,
        "ended_at": one.ended_at,
        "expected_end": one.expected_end(datetime.now(UTC)),
    }
