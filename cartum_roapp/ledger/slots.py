"""The account's call budget over all processes: one row per account says when the next call may go."""

from __future__ import annotations

import asyncio

from sqlalchemy import Connection, Engine, TextClause, text

_LATE = 0.005

_RESERVE = text(
    "INSERT INTO call_slots AS slot (account, next_at) "
    "VALUES (:account, clock_timestamp() + :interval * interval '1 second') "
    "ON CONFLICT (account) DO UPDATE "
    "SET next_at = greatest(slot.next_at, clock_timestamp()) + :interval * interval '1 second' "
    "RETURNING extract(epoch FROM next_at - clock_timestamp())::float8 - :interval"
)
_PUSH = text(
    "UPDATE call_slots SET next_at = greatest(next_at, clock_timestamp() + :seconds * interval '1 second') "
    "WHERE account = :account"
)


class CallSlots:
    """A limiter (see `apis.limiter`) that keeps `interval` seconds between any two calls of an account,
    whichever process makes them. RO App allows 3 a second (roapp §2); a call every 351 ms keeps that
    under jitter. No slot is handed out before the previous caller of this process went ahead, and one
    that wakes up late pushes the next slot, so lateness never makes a burst.
    """

    def __init__(self, engine: Engine, account: str, interval: float) -> None:
        self._engine = engine
        self._account = account
        self._interval = interval
        self._turn = asyncio.Lock()
        self._connection: Connection | None = None

    async def acquire(self) -> None:
        """Returns when one call may be sent, at once."""
        async with self._turn:
            wait = float(self._run(_RESERVE, interval=self._interval) or 0)
            if wait > 0:
                clock = asyncio.get_running_loop().time
                due = clock() + wait
                await asyncio.sleep(wait)
                if clock() - due > _LATE:
                    self._run(_PUSH, seconds=self._interval)

    async def penalize(self, seconds: float) -> None:
        """Nobody calls for that long: RO App said so."""
        self._run(_PUSH, seconds=seconds)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _run(self, statement: TextClause, **values: float) -> float | None:
        if self._connection is None or self._connection.invalidated or self._connection.closed:
            self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        result = self._connection.execute(statement, {"account": self._account, **values})
        return result.scalar() if result.returns_rows else None
