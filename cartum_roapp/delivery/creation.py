"""Makes one thing in RO App exactly once, across kills, time-outs and different names for it.

A row is committed on the connection of the account's lock, then the call is made, then what it made is linked and the
row ends, in one commit (`ledger.creations`). Whoever is to make something with a name of a row that is still there
looks for it first, and adopts what the rules of a search say. What is not found may still arrive until `not_before`,
and only a look that began after that allows it to be sent, or sent again (ADR 16).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from cartum_roapp.apis.roapp.sending import Before
from cartum_roapp.delivery.doubt import UNCLEAR_ENDS, Later, Timeouts, unanswered, utc_now
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import IntegrationError, Unclear
from cartum_roapp.ledger import creations as ledger
from cartum_roapp.ledger.creations import Creation, Kind, Thing

Link = Callable[[Connection, int], None]


class Creations:
    """What the holder of one account's lock makes."""

    def __init__(self, session: AccountSession, timeouts: Timeouts) -> None:
        self._session = session
        self._timeouts = timeouts

    def in_doubt(self, kind: Kind, names: Iterable[str]) -> list[Creation]:
        """Returns the calls, oldest first, that may make something with one of these names and have no known outcome.
        What they made is to be looked for; see `wait_for`."""
        with self._session.autocommit() as connection:
            return ledger.in_doubt(connection, self._session.account, kind, names)

    async def make(
        self,
        thing: Thing,
        *,
        send: Callable[[Before], Awaitable[int]],
        link: Link,
        require: Callable[[Connection], None] | None = None,
    ) -> int:
        """Returns RO App's id of the thing. To be called where nothing of it is in doubt, or a search has just found
        nothing.

        `send` makes the call and runs its argument right before each try; `require` may prevent it there, by what it
        raises, in the transaction that begins it; `link` stores the id in the one that ends it. Raises Later where
        nobody answered, BadRecord `unanswered` when that happened too often in a row, and whatever `send` raises for a
        call that was certainly refused.
        """
        session, timeouts = self._session, self._timeouts
        row: Creation | None = None

        def before() -> None:
            nonlocal row
            now = utc_now()
            not_before = now + timedelta(seconds=timeouts.timeout + timeouts.unanswered)
            with session.transaction() as connection:
                if require is not None:
                    require(connection)
                row = ledger.begin(connection, session.account, thing, now, not_before, again=row is not None)

        try:
            made = await send(before)
        except Unclear as error:
            assert row is not None
            now = utc_now()
            with session.transaction() as connection:
                ledger.put_off(connection, row.id, now + timedelta(seconds=timeouts.resend_after(error)))
            if row.tries >= UNCLEAR_ENDS:
                raise unanswered(thing.kind, error) from None
            raise Later(now + timedelta(seconds=timeouts.unclear_wait)) from None
        except IntegrationError:
            if row is not None:
                with session.transaction() as connection:
                    self.end(connection, thing.kind, thing.names[0])
            raise
        with session.transaction() as connection:
            self.end(connection, thing.kind, thing.names[0])
            link(connection, made)
        return made

    def end(self, connection: Connection, kind: Kind, name: str) -> None:
        """Notes that the outcome of the call for the thing of this first name is known: made, found, refused, or no
        longer needed and not found. After a repeat it is checked once more. Writes nothing where there was no call."""
        look_until = utc_now() + timedelta(seconds=self._timeouts.recheck_after)
        ledger.end(connection, self._session.account, kind, name, look_until)


def wait_for(doubts: Iterable[Creation], looked_at: datetime) -> None:
    """Raises Later where what these calls make may have arrived since the look that began at `looked_at` (UTC) and
    found nothing, or may still arrive."""
    until = max((one.not_before for one in doubts), default=looked_at)
    if looked_at < until:
        raise Later(until)
