"""The account's lock goes to a run that waits for it, where the holder can't do that run's work.

A holder delivers for the shops that it knew when it began, with their settings of that moment. An import holds the
lock for hours; a shop that is connected meanwhile, or mended after the holder had to leave it out, does not wait for
its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from cartum_roapp.ledger import database, outbox

#: Seconds: a waiting run looks this often whether the lock is free.
POLL = 0.5
#: Seconds until the lock is offered again: a run that doesn't take it must not stop the holder all the time.
OFFER_EVERY = 30.0


class Handover:
    """Between all runs that deliver for one account."""

    def __init__(self, engine: Engine, account: str) -> None:
        self._engine = engine
        self._account = account
        self._offered_at: float | None = None
        self._offering = False

    @contextmanager
    def delivering(self, shop: str) -> Iterator[None]:
        """Shows the others that a run is here which delivers for this shop as soon as it has the lock."""
        with database.present(self._engine, f"delivering:{shop}"):
            yield

    def due(self, served: Collection[str]) -> bool:
        """Returns whether the holder, who delivers for the shops `served`, is to let the lock go now: a run waits that
        delivers for another shop, whose orders are due. That is offered every 30 s at most."""
        now = asyncio.get_running_loop().time()
        if self._offered_at is not None and now - self._offered_at < OFFER_EVERY:
            return False
        with database.reading(self._engine) as connection:
            others = outbox.due_elsewhere(connection, self._account, sorted(served))
            found = any(database.anybody(connection, f"delivering:{shop}") for shop in others)
        if found:
            self._offered_at, self._offering = now, True
        return found

    async def passed(self) -> None:
        """After the lock was let go: where that was for another run, it has taken it when this returns."""
        if self._offering:
            self._offering = False
            await asyncio.sleep(2 * POLL)
