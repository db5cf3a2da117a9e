"""One attempt to deliver an order: its events are gathered, and written where its end is recorded.

A kill loses these events; the calls that must not happen twice are in the ledger already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from cartum_roapp.apis.calls import on_request
from cartum_roapp.ledger import journal
from cartum_roapp.ledger.journal import Event, Kind


class Attempt:
    """What happened so far. `wrote`: a call was made that may have changed something in RO App."""

    def __init__(self, shop: str, number: str, events: list[Event]) -> None:
        self._shop = shop
        self._number = number
        self._events = events
        self.wrote = False

    def requested(self, call: str, outcome: str) -> None:
        """Gathers a request. Equal ones in a row are one event with a count."""
        if not call.startswith("GET "):
            self.wrote = True
        last = self._events[-1] if self._events else None
        if last is not None and (last.details.get("call"), last.details.get("outcome")) == (call, outcome):
            self._events[-1] = replace(last, details={**last.details, "times": last.details.get("times", 1) + 1})
        else:
            journal.buffer(self._shop, self._number, Kind.CALL, call=call, outcome=outcome)

    def ends(self, connection: Connection, kind: Kind | None = None, **details: Any) -> None:
        """Writes what happened since the last time, with this last event, in the caller's transaction."""
        if kind is not None:
            journal.buffer(self._shop, self._number, kind, **details)
        journal.write(connection, self._events)
        self._events.clear()


@contextmanager
def begun(shop: str, number: str) -> Iterator[Attempt]:
    """Gathers in the body what happens to this order: what is noted, and each request to RO App."""
    with journal.buffered() as events:
        attempt = Attempt(shop, number, events)
        listener = on_request.set(attempt.requested)
        try:
            yield attempt
        finally:
            on_request.reset(listener)
