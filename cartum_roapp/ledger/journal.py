"""What happened to each order, and which run did it: rows that are added, never changed, and go after `KEPT`.

An event names fields, RO App's ids, codes and figures. It never holds a buyer's data, so an erasure need not know it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, text

from cartum_roapp.ledger import database

#: For so long events are kept.
KEPT = timedelta(days=90)


class Kind(StrEnum):
    """What an event says, with its details."""

    SEEN = "seen"  # the order is new here: status, total
    CHANGED = "changed"  # it changed in the shop: changes
    DELETED = "deleted"  # it was deleted in the shop
    QUEUED = "queued"  # it is delivered again: because
    ADOPTED = "adopted"  # RO App had its order already: roapp_id
    CREATED = "created"  # its order in RO App was made: roapp_id
    CONTACT = "contact"  # whose order it is in RO App: roapp_id, organization, because
    PRODUCTS = "products"  # its products in RO App: products, each with title, roapp_id, how
    CALL = "call"  # a call to RO App: call (method and path), outcome, times
    DELIVERED = "delivered"  # RO App has it as the shop has it: version
    POSTPONED = "postponed"  # its delivery continues later: until, because
    HELD = "held"  # a person is needed: entity, id, code, message
    RELEASED = "released"  # no longer: entity, id, code, because
    DISMISSED = "dismissed"  # a person leaves it as it is: entity, id
    WRITTEN_BACK = "written-back"  # the shop took RO App's status: status
    CONTEST = "contest"  # both sides changed the status, and the shop's was taken: shop_status, roapp_status


#: One thing that changed in the shop, in words: (field, before, after); None where it is not shown, or was not there.
Change = tuple[str, str | None, str | None]


@dataclass(frozen=True)
class Event:
    """`at` is UTC, `run` the id of the run that did it, None where a person did it without one. `details`: see
    `Kind`."""

    shop: str
    number: str
    kind: Kind
    at: datetime
    run: str | None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def changes(self) -> list[Change]:
        """What changed in the shop, of a `changed` event."""
        return [(name, before, after) for name, before, after in self.details.get("changes", ())]


_run: ContextVar[str | None] = ContextVar("run", default=None)
_buffer: ContextVar[list[Event] | None] = ContextVar("buffer", default=None)


@contextmanager
def by(run: str) -> Iterator[None]:
    """The events of the body are this run's, also those of the tasks that begin in it."""
    token = _run.set(run)
    try:
        yield
    finally:
        _run.reset(token)


@contextmanager
def buffered() -> Iterator[list[Event]]:
    """The events that are noted in the body are gathered instead of written. Whoever gathers them writes them, in the
    transaction that records how the body ended."""
    events: list[Event] = []
    token = _buffer.set(events)
    try:
        yield events
    finally:
        _buffer.reset(token)


def event(shop: str, number: str, kind: Kind, **details: Any) -> Event:
    """An event of this moment. Details that are None are left out."""
    known = {name: value for name, value in details.items() if value is not None}
    return Event(shop, number, kind, datetime.now(UTC), _run.get(), known)


def note(connection: Connection, shop: str, number: str, kind: Kind, **details: Any) -> None:
    """Notes one event: in the caller's transaction, or with the others of the body that is `buffered`."""
    one, events = event(shop, number, kind, **details), _buffer.get()
    if events is None:
        write(connection, [one])
    else:
        events.append(one)


def buffer(shop: str, number: str, kind: Kind, **details: Any) -> None:
    """Adds one event to those of the body that is `buffered`; does nothing elsewhere."""
    events = _buffer.get()
    if events is not None:
        events.append(event(shop, number, kind, **details))


def write(connection: Connection, events: Iterable[Event]) -> None:
    """Writes all in one statement, in the caller's transaction. Writes nothing where there are none."""
    rows = [vars(one) for one in events]
    if rows:
        connection.execute(text(_WRITE), {"events": json.dumps(rows, default=str)})


def of_run(engine: Engine, shop: str, run: str, kinds: Collection[Kind] = ()) -> list[Event]:
    """What a run did for this shop, oldest first: its own events, and those that other runs wrote meanwhile for orders
    that it saw (whoever holds the account's lock delivers for all). With `kinds`, only those."""
    return _read(engine, _OF_RUN, {"shop": shop, "run": run}, kinds)


def of_order(engine: Engine, shop: str, number: str, kinds: Collection[Kind] = ()) -> list[Event]:
    """What happened to one order, oldest first. With `kinds`, only those."""
    return _read(engine, _OF_ORDER, {"shop": shop, "number": number}, kinds)


def forget_old(connection: Connection) -> int:
    """Removes the events of all shops that are older than `KEPT`, returns how many. Idempotent."""
    return connection.execute(text("DELETE FROM order_events WHERE at < now() - :kept"), {"kept": KEPT}).rowcount


def _read(engine: Engine, query: str, values: dict[str, Any], kinds: Collection[Kind]) -> list[Event]:
    only: Sequence[str] = [str(kind) for kind in kinds or Kind]
    with database.reading(engine) as connection:
        found = f"SELECT * FROM ({query}) found WHERE kind = ANY(:kinds) ORDER BY at, id"
        rows = connection.execute(text(found), {**values, "kinds": only})
        return [Event(row.shop, row.number, Kind(row.kind), row.at, row.run, row.details) for row in rows]


_WRITE = """
    INSERT INTO order_events (shop, number, kind, at, run, details)
    SELECT shop, number, kind, at, run, details FROM jsonb_to_recordset(CAST(:events AS jsonb))
        AS given (shop text, number text, kind text, at timestamptz, run text, details jsonb)
"""
_EVENTS = "SELECT id, shop, number, kind, at, run, details FROM order_events"
_OF_ORDER = f"{_EVENTS} WHERE shop = :shop AND number = :number"
_OF_RUN = f"""
    WITH own AS ({_EVENTS} WHERE run = :run AND shop = :shop), others AS (
        {_EVENTS} WHERE shop = :shop AND run IS DISTINCT FROM :run AND number IN (SELECT number FROM own)
        AND at BETWEEN (SELECT started_at FROM runs WHERE id = :run)
                   AND (SELECT coalesce(finished_at, 'infinity') FROM runs WHERE id = :run)
    ) SELECT * FROM own UNION ALL SELECT * FROM others
"""
