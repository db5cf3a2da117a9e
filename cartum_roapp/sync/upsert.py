"""Stores frames in ledger and outbox, in one transaction with the cursor or watermark."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from cartum_roapp.errors import BadConfig, BadRecord, Code, Retryable
from cartum_roapp.ledger import (
    arriving,
    backfills,
    database,
    held,
    journal,
    missing_orders,
    orders,
    reused_numbers,
    shops,
)
from cartum_roapp.ledger.arriving import Stored
from cartum_roapp.ledger.journal import Kind
from cartum_roapp.ledger.orders import Priority, Queue
from cartum_roapp.ledger.tables import products
from cartum_roapp.orders.bad_rows import BadRow
from cartum_roapp.orders.catalogue import article_key
from cartum_roapp.orders.frames import Frames
from cartum_roapp.orders.texts import clean
from cartum_roapp.sync import sentence
from cartum_roapp.sync.fetch import articles_of
from cartum_roapp.sync.run import Run

log = logging.getLogger(__name__)

#: Names, barcodes and prices of articles that are still ordered are read again from the shop after that time.
READ_AGAIN = timedelta(days=1)


@dataclass(frozen=True)
class Reading:
    """What was read of a shop at once: orders as typed frames, rows that can't be read, and which statuses are final.
    `missing`: what a read by number did not return, of `asked` ones; `deleted`: a person says that all of them are.
    `days`: which ones it is about, for the log. `successful`: the statuses whose orders an import passes over."""

    frames: Frames
    bad: Sequence[BadRow]
    final_statuses: Collection[int]
    missing: Collection[str] = ()
    asked: int = 0
    deleted: bool = False
    days: str = ""
    successful: Collection[int] = ()


@dataclass(frozen=True)
class BackfillSlice:
    """A part of a backfill, by its id, that is stored at once: what was created from `since` (UTC) on."""

    backfill: int
    since: datetime


def articles_to_read(run: Run, rows: Iterable[Any]) -> set[str]:
    """Returns the articles of the rows' lines that were not read from the shop's catalogue within a day. If there are
    any, also those that were not within half a day, so that most are read with the same few calls."""
    query = select(products.c.article, products.c.read_at).where(
        products.c.shop == run.shop.key, products.c.article != "", products.c.read_at.is_not(None)
    )
    with database.reading(run.engine) as connection:
        read = {article_key(row.article): row.read_at for row in connection.execute(query)}
    articles, now = articles_of(rows), datetime.now(UTC)

    def older(age: timedelta) -> set[str]:
        return {one for one in articles if (known := article_key(clean(one))) not in read or now - read[known] > age}

    return older(READ_AGAIN / 2) if older(READ_AGAIN) else set()


def is_idle(run: Run, reading: Reading, **_: object) -> bool:
    """Returns whether `upsert` would store no order: all came as they are stored, or none came."""
    return reading.frames.orders.empty and not reading.bad and not reading.missing


def upsert(
    run: Run,
    reading: Reading,
    *,
    new_as: int,
    changed_as: int = Priority.CHANGE,
    slice_end: datetime | None = None,
    watermark: datetime | None = None,
    part: BackfillSlice | None = None,
) -> Stored:
    """Stores one reading in one transaction. Idempotent.

    It stores new and changed orders, their outbox rows with the priorities `new_as` and `changed_as`, held rows and
    missing orders, and the cursor of the import (`slice_end`, UTC), the cursor of a backfill (with its `part`) or the
    `watermark` (UTC).

    Raises LockLost if another run may have read the shop since, Retryable if a known order has changed in the ledger
    meanwhile, BadConfig if the shop was deleted, Canceled if the backfill was, and BadConfig if too many orders
    vanished at once: then it stores what was read, but neither the missing orders nor the watermark.
    """
    key, missing = run.shop.key, sorted(reading.missing)
    with run.storing() as connection:
        shops.hold_on(connection, key)
        if part is not None:
            backfills.hold_on(connection, part.backfill)
        _refuse_outdated(connection, run, reading.frames)
        frames, reused = _without_reused(connection, run, reading.frames)
        bad = [*reading.bad, *reused]
        queue = Queue(key, run.shop.account, new_as, changed_as)
        orders.follow_final_statuses(connection, key, reading.final_statuses)
        stored = arriving.store(connection, frames, queue, final_statuses=reading.final_statuses)
        if new_as != Priority.BACKFILL:
            orders.lift(connection, queue, frames.numbers, reading.successful)
        held.clear(connection, key, "row", set(frames.numbers), because="the row can be read now")
        erased = orders.erased(connection, key, [row.id for row in bad]) if bad else set()
        for row in bad:
            error = BadRecord(row.message, code=row.code, fix=row.fix)
            payload = None if row.id in erased else row.payload
            held.hold(connection, shop=key, entity="row", id=row.id, error=error, payload=payload)
        known = None
        if not reading.deleted:
            open_for = timedelta(days=run.shop.window_days)
            known = missing_orders.known_if_lost_rights(connection, key, reading.asked, missing, open_for)
        noted = [] if known else missing
        gone = missing_orders.take_for_deleted(connection, shop=key, run=run.id, missing=noted, deleted=reading.deleted)
        held.clear(connection, key, "row", gone)
        journal.write(connection, [journal.event(key, number, Kind.DELETED) for number in gone])
        requeued = orders.requeue(connection, key, gone) if gone else 0
        there = {*frames.numbers, *(row.id for row in bad)}
        missing_orders.note(connection, key, run.id, known={*there, *gone}, missing=noted)
        if slice_end is not None:
            shops.mark_slice_stored(connection, key, slice_end)
        if part is not None:
            numbers = frames.numbers
            counts = {"seen": len(numbers) + len(bad), "new": len(stored.new), "changed": len(stored.changed)}
            backfills.note_slice(connection, part.backfill, numbers, stored_from=part.since, counts=counts)
        if watermark is not None and not known:
            shops.move_watermark(connection, key, watermark)
    run.counts.seen += len(frames.numbers) + len(bad)
    run.counts.new += len(stored.new)
    run.counts.changed += len(stored.changed) + requeued
    run.counts.unchanged += stored.unchanged
    if read := sentence.of_reading(len(stored.new), len(stored.changed), stored.unchanged, len(bad), len(gone)):
        days = f"until {slice_end:%Y-%m-%d}" if slice_end else reading.days
        log.info("%s", f"{days}, {read}" if days else read)
    if known:
        raise BadConfig(
            f"{len(missing)} of {known} orders vanished from the shop at once; that looks like lost rights.",
            shop=run.shop.slug,
            field="login",
            fix="Check in the shop's admin that this user may still see all orders. If they were really deleted, say "
            f"so (`cartum-roapp reconcile {run.shop.slug} --repair --gone`).",
        )
    return stored


def _without_reused(connection: Connection, run: Run, frames: Frames) -> tuple[Frames, list[BadRow]]:
    """Returns the frames without orders whose number belongs to another one that is known, and those as rows that are
    held: the known order stays as it is, here and in RO App."""
    reused = reused_numbers.found(connection, run.shop.key, frames.orders)
    if not reused:
        return frames, []
    code, bad = Code.NUMBER_REUSED, []
    for number, placed in reused.items():
        before, now = (f"{at.astimezone(run.zone):%Y-%m-%d %H:%M}" for at in placed)
        message = f"the order {number} that is known was placed on {before}, the shop's on {now} and by another buyer."
        bad.append(BadRow(number, code, message, code.remedy, {}))
    others = frames.only(set(frames.orders["number"]) - reused.keys())
    return replace(others, known=frames.known), bad


def _refuse_outdated(connection: Connection, run: Run, frames: Frames) -> None:
    stored = orders.stored_rows(connection, run.shop.key, list(frames.known)) if frames.known else {}
    if any(number not in stored or stored[number][0] != digest for number, digest in frames.known.items()):
        raise Retryable("orders changed in the ledger while they were read.", shop=run.shop.slug, fix="Repeat.")
