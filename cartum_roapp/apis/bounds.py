"""Ends a walk over a list that has no end.

A shop, or RO App, that answers each page with new rows would be read for ever. So the pages and the rows of each read
are counted, and an answer with more rows than any page has is not looked into.
"""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass, field
from typing import TypeVar

from cartum_roapp.errors import Retryable
from cartum_roapp.settings import Settings

#: The most rows of one answer. A page has up to 500; a shop that ignores `limit` sends thousands of orders at once, but
#: `cartum_roapp.apis.reply.LARGEST` bytes hold no 14,000 of them.
ANSWER = 20_000

S = TypeVar("S", bound=Sized)


@dataclass(frozen=True)
class Bounds:
    """How much of one list is read at once, with all repetitions: so many pages (calls), so many different rows."""

    pages: int = Settings.list_pages
    rows: int = Settings.list_rows


class NoEnd(Retryable):
    """A list goes on and on. Another read may find it well, so nothing is paused; until then each read ends so."""


@dataclass
class Tally:
    """Counts one read of a list. `name` is what messages call the list: "the shop's list orders/get"."""

    name: str
    bounds: Bounds
    pages: int = field(default=0, init=False)

    def page(self, rows: S) -> S:
        """Counts a page that came, and returns it. Raises NoEnd after too many, and for one of more rows than a page
        can have: to be called before anything looks into it."""
        if len(rows) > self.bounds.rows:
            raise self._no_end(f"one page has {len(rows)} rows")
        if len(rows) > ANSWER:
            message = f"{self.name} has {len(rows)} rows in one answer, which is not looked into."
            raise NoEnd(message, fix="Ask the support of that system what it sends there.")
        self.pages += 1
        if self.pages > self.bounds.pages:
            raise self._no_end(f"{self.bounds.pages} pages were read, and more came")
        return rows

    def seen(self, rows: Sized) -> None:
        """`rows`: the different ones that came so far, or their keys. Raises NoEnd after too many."""
        if len(rows) > self.bounds.rows:
            raise self._no_end(f"{self.pages} pages brought {len(rows)} different rows")

    def _no_end(self, met: str) -> NoEnd:
        return NoEnd(f"{self.name} does not end: {met}.", fix="Ask the support of that system why.")
