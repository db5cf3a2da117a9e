"""The account's call budget over all processes: one row per account says when the next call may go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Connection, Engine, TextClause, text

from cartum_roapp.apis.limiter import LONGEST_PENALTY, now
from cartum_roapp.ledger import database

#: The part of the interval by which a call may be late without moving those after it: a wake-up is late by some
#: milliseconds, which would add up. Four calls still span 1.033 s at least.
SLACK = 0.057

# A turn further ahead than any penalty was set by a clock that has been put back since.
_TAKE = text(
    "INSERT INTO call_slots AS slot (account, next_at, turns) "
    "VALUES (:account, clock_timestamp() + :interval * interval '1 second', 1) "
    "ON CONFLICT (account) DO UPDATE SET turns = slot.turns + 1, next_at = :interval * interval '1 second' "
    "+ greatest(least(slot.next_at, clock_timestamp()), clock_timestamp() - :slack * interval '1 second') "
    "WHERE slot.next_at <= clock_timestamp() OR slot.next_at > clock_timestamp() + :longest * interval '1 second' "
    "RETURNING extract(epoch FROM next_at - clock_timestamp())::float8"
)
_LEFT = text("SELECT extract(epoch FROM next_at - clock_timestamp())::float8 FROM call_slots WHERE account = :account")
_LATE = text(
    "UPDATE call_slots SET next_at = greatest(next_at, "
    "next_at + (least(:seconds, :interval) - :slack) * interval '1 second', "
    "clock_timestamp() + (:interval - :slack) * interval '1 second') "
    "WHERE account = :account RETURNING extract(epoch FROM next_at - clock_timestamp())::float8"
)
_PENALTY = text(
    "INSERT INTO call_slots AS slot (account, next_at) "
    "VALUES (:account, clock_timestamp() + :seconds * interval '1 second') "
    "ON CONFLICT (account) DO UPDATE SET next_at = greatest(slot.next_at, excluded.next_at)"
)


class CallSlots:
    """A limiter (see `apis.limiter`) that keeps `interval` seconds between any two calls of an account,
    whichever process makes them. RO App allows 3 a second (roapp §2); a call every 351 ms keeps that
    under jitter.

    A turn is taken when it is due and not before, so no process that dies or is late holds one, and after a penalty no
    process has one left. Within a process turns are given in the order of asking; between processes whoever comes first
    takes it. `statements` lends the connection that its statements run on: what that raises is passed on, and no turn
    is taken. Without it they run on a connection of their own.
    """

    def __init__(
        self,
        engine: Engine,
        account: str,
        interval: float,
        statements: Callable[[], AbstractContextManager[Connection]] | None = None,
    ) -> None:
        self._engine = engine
        self._statements = statements or self._own
        self._account = account
        self._spacing = {"interval": interval, "slack": interval * SLACK}
        self._turn = asyncio.Lock()
        self._next = 0.0  # as far as this process knows, on its own clock
        self._connection: Connection | None = None

    async def acquire(self) -> float:
        """See `Limiter`."""
        async with self._turn:
            while True:
                while (wait := self._next - now()) > 0:
                    await asyncio.sleep(wait)
                turn = now()
                left = self._run(_TAKE, **self._spacing, longest=LONGEST_PENALTY + self._spacing["interval"])
                if left is not None:
                    self._next = now() + left
                    return turn
                self._next = now() + (self._run(_LEFT) or 0)

    async def late(self, seconds: float) -> None:
        """See `Limiter`."""
        left = self._run(_LATE, seconds=seconds, **self._spacing)
        self._next = max(self._next, now() + (left or 0))

    async def penalize(self, seconds: float) -> None:
        """See `Limiter`."""
        self._run(_PENALTY, seconds=seconds)
        self._next = max(self._next, now() + seconds)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _run(self, statement: TextClause, **values: float) -> float | None:
        with self._statements() as connection:
            result = connection.execute(statement, {"account": self._account, **values})
            return result.scalar() if result.returns_rows else None

    @contextmanager
    def _own(self) -> Iterator[Connection]:
        if self._connection is None or self._connection.invalidated or self._connection.closed:
            self._connection = self._engine.connect()
        with database.autocommit(self._connection) as connection:
            yield connection
