"""The account's lock and the statements on its connection."""

from __future__ import annotations

from sqlalchemy import Connection, Engine

from cartum_roapp.delivery.doubt import go_by
from cartum_roapp.ledger import database
from cartum_roapp.ledger.lock_session import LockSession


class AccountSession(LockSession):
    """The one deliverer of an account.

    Before a call its slot is taken, and before a call that must not happen twice its intent is committed, on the lock's
    connection: when it is gone, neither works, and the call is not made. An intent alone would not do: a late PATCH
    could undo what another process has written since.
    """

    def __init__(self, connection: Connection, account: str) -> None:
        super().__init__(connection, "the account's lock")
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

    def close(self) -> None:
        """Releases the lock; harmless when the connection is gone."""
        database.unlock(self._connection, f"account:{self.account}")
        self._connection.close()
