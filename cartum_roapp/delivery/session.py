"""The account's lock and the statements on its connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from cartum_roapp.delivery.doubt import go_by
from cartum_roapp.errors import IntegrationError
from cartum_roapp.ledger import database

_GOES_ON = "Nothing: the next run goes on where this one was."


class LockLost(IntegrationError):
    """The connection that holds the account's lock is gone: nothing more may be sent by this process. Not Retryable, as
    no retry layer could help; the next run continues."""

    kind = "lock-lost"


class AccountSession:
    """The one deliverer of an account, over all processes and machines that share the ledger.

    The advisory lock lives and dies with the connection. Before a call its slot is taken, and before a call that must
    not happen twice its intent is committed, on that same connection: when it is gone, neither works, and the call is
    not made. An intent alone would not do: a late PATCH could undo what another process has written since.
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
                with database.autocommit(connection):
                    go_by(database.clock(connection))
                return cls(connection, account)
        except BaseException:
            connection.invalidate()  # so that nobody gets it with the lock
            connection.close()
            raise
        connection.close()
        return None

    def transaction(self) -> AbstractContextManager[Connection]:
        """One transaction, which commits at the end of the body. Raises LockLost when the connection is gone."""
        return self._with_lock(Connection.begin)

    def autocommit(self) -> AbstractContextManager[Connection]:
        """Statements that each commit by themselves: reads, and the call budget. Raises LockLost when the connection is
        gone."""
        return self._with_lock(database.autocommit)

    @contextmanager
    def _with_lock(self, begin: Callable[[Connection], AbstractContextManager[object]]) -> Iterator[Connection]:
        if self._connection.closed or self._connection.invalidated:
            raise LockLost("the database connection that holds the account's lock is gone.", fix=_GOES_ON)
        try:
            with begin(self._connection):
                yield self._connection
        except DBAPIError as error:
            if error.connection_invalidated:
                raise LockLost("the database connection that holds the account's lock broke.", fix=_GOES_ON) from error
            raise

    def close(self) -> None:
        """Releases the lock; harmless when the connection is gone."""
        database.unlock(self._connection, f"account:{self.account}")
        self._connection.close()
