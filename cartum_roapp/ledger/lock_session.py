"""The connection that holds an advisory lock, and the statements on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from cartum_roapp.errors import IntegrationError
from cartum_roapp.ledger import database

_GOES_ON = "Nothing: the run goes on where it was. If it ends all the same, repeat it."


class LockLost(IntegrationError):
    """The connection that holds the lock is gone: nothing more may be written or sent without it. Not Retryable, as it
    does not help to repeat the call. Who was reading a shop takes the lock again (`outlasting_quota`), or else the next
    run continues."""

    kind = "lock-lost"


class LockSession:
    """Whoever holds a lock, over all processes and machines that share the ledger. `lock` names it in errors.

    An advisory lock lives and dies with its connection. What nobody may do without the lock is written on that
    connection: when the lock is gone, so is the transaction.
    """

    def __init__(self, connection: Connection, lock: str) -> None:
        self._connection = connection
        self._lock = lock

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
            raise LockLost(f"the database connection that holds {self._lock} is gone.", fix=_GOES_ON)
        try:
            with begin(self._connection):
                yield self._connection
        except DBAPIError as error:
            if error.connection_invalidated:
                raise LockLost(f"the database connection that holds {self._lock} broke.", fix=_GOES_ON) from error
            raise
