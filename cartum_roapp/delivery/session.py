"""The account's lock and the transactions on its connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from cartum_roapp.errors import Retryable
from cartum_roapp.ledger import database


class LockLost(Retryable):
    """The connection that holds the account's lock is gone: nothing more may be sent by this process."""


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
