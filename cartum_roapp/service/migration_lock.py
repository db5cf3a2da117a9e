"""Lets one server at a time migrate Prefect's database, also if several homes share an external PostgreSQL."""

from __future__ import annotations

import psycopg2
from psycopg2 import extensions

from cartum_roapp.service.database_url import DatabaseUrl

# Any fixed number, the same in every installation.
_NUMBER = 0x0CA7_0A99


class MigrationLock:
    """An advisory lock in Prefect's database. It is held from before the server migrates until the server answers."""

    def __init__(self) -> None:
        self._connection: extensions.connection | None = None
        self._held = False

    def acquire(self, database: DatabaseUrl) -> bool:
        """Tries once; to be repeated. Returns True while the lock is held, False also if the database does not
        answer."""
        if self._held:
            return True
        try:
            if self._connection is None:
                self._connection = psycopg2.connect(database.libpq(), connect_timeout=5)
                self._connection.autocommit = True
            with self._connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", [_NUMBER])
                self._held = bool((cursor.fetchone() or (False,))[0])
        except psycopg2.Error:
            self.release()
        return self._held

    def release(self) -> None:
        """Idempotent."""
        self._held = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None
