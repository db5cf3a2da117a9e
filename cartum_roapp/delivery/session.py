"""The account's lock and the transactions on its connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from cartum_roapp.apis.limiter import Limiter
from cartum_roapp.errors import IntegrationError
from cartum_roapp.ledger import database


class LockLost(IntegrationError):
    """The connection that holds the account's lock is gone: nothing more may be sent by this process. Not
    Retryable, as no retry layer could help; the next run goes on."""

    kind = "lock-lost"


class AccountSession:
    """The one deliverer of an account, over all processes and machines that share the ledger.

    The advisory lock lives and dies with the connection, and every intent is committed on that very
    connection: when it is gone, the commit fails and the call is not made.
    """

    def __init__(self, connection: Connection, account: str) -> None:
        self._connection = connection
        self.account = account

    @classmethod
    def take(cls, engine: Engine, account: str) -> AccountSession | None:
        """None while somebody else delivers for this account."""
        connection = engine.connect()
        try:
            if database.try_lock(connection, f"account:{account}"):
                return cls(connection, account)
        except BaseException:
            connection.close()
            raise
        connection.close()
        return None

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction; commits at the end of the body. Raises LockLost when the connection is gone."""
        if self._connection.closed or self._connection.invalidated:
            raise LockLost("the database connection that holds the account's lock is gone.")
        try:
            with self._connection.begin():
                yield self._connection
        except DBAPIError as error:
            if error.connection_invalidated:
                raise LockLost("the database connection that holds the account's lock broke.") from error
            raise

    def check(self) -> None:
        """Raises LockLost when the connection is gone, also where nobody has noticed yet."""
        with self.transaction() as connection:
            connection.execute(text("SELECT 1"))

    def release(self) -> None:
        """Gives the lock back; harmless when the connection is gone."""
        try:
            if not (self._connection.closed or self._connection.invalidated):
                self._connection.rollback()
                database.unlock(self._connection, f"account:{self.account}")
        except DBAPIError:
            pass
        finally:
            self._connection.close()


class Guarded:
    """A limiter whose turns count only while the account's lock is held: intents cover the calls that must not
    happen twice, but a late PATCH could undo what another process has written since."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self.session: AccountSession | None = None

    async def acquire(self) -> float:
        """See `Limiter`. Raises LockLost."""
        turn = await self._limiter.acquire()
        if self.session is not None:
            self.session.check()
        return turn

    async def late(self, seconds: float) -> None:
        await self._limiter.late(seconds)

    async def penalize(self, seconds: float) -> None:
        await self._limiter.penalize(seconds)
