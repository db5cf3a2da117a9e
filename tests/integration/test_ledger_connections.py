"""Connections to the ledger that runs share: no lock stays with one, and one is left when its server has become a
standby, or its database is gone."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg2.errors import QueryCanceled
from sqlalchemy import Engine, event, make_url, text
from sqlalchemy.exc import OperationalError
from world import admin

from cartum_roapp import service
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import Retryable
from cartum_roapp.ledger.database import connect, locked, try_lock
from cartum_roapp.service import ledger
from cartum_roapp.service.patience import wait_until
from cartum_roapp.settings import Settings
from cartum_roapp.sync.failure import sanitized_errors

WRITES = text("INSERT INTO accounts (name) VALUES (:name)")


def test_a_server_that_is_a_standby_since_is_left(database: str) -> None:
    """Connections that were made before would stay with it, while new ones reach the primary server."""
    engine = connect(database)
    with engine.connect() as first, engine.connect() as second:
        for connection in (first, second):
            connection.execute(text("SET default_transaction_read_only = on"))
            connection.commit()
    with pytest.raises(Retryable, match="connection to the database broke"), sanitized_errors(), engine.begin() as old:
        old.execute(WRITES, {"name": "old"})
    with engine.begin() as one, engine.begin() as another:
        for connection, name in ((one, "one"), (another, "another")):
            connection.execute(WRITES, {"name": name})
    engine.dispose()


def _lock(engine: Engine, *, waiting: bool) -> None:
    if not waiting:
        AccountSession.take(engine, "main")
        return
    with locked(engine, "account:main"):
        pass


@pytest.mark.parametrize("last", ["pg_try_advisory_lock", "clock_timestamp", "pg_advisory_lock"])
def test_a_lock_is_free_when_its_run_fails_after_it_got_it(database: str, last: str) -> None:
    """A statement that somebody cancels, for example, when the server has done it already."""
    shared, other = connect(database), connect(database)

    @event.listens_for(shared, "after_cursor_execute")
    def fail(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if f"{last}(" in statement:
            raise QueryCanceled

    with pytest.raises(OperationalError):
        _lock(shared, waiting=last == "pg_advisory_lock")
    with other.connect() as connection:
        free = wait_until(lambda: try_lock(connection, "account:main"), 10.0)  # once the server sees the connection cut
        assert free
    shared.dispose()
    other.dispose()


def test_runs_share_connections_until_the_database_is_elsewhere(
    home: Settings, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARTUM_ROAPP_HOME", str(home.home))
    service.start(home, ["postgres"])
    backends = set()
    admin(postgres, "CREATE DATABASE elsewhere")
    with ledger.shared(make_url(postgres).set(database="elsewhere").render_as_string(hide_password=False)):
        for _ in range(9):
            with ledger.opened() as engine, engine.connect() as connection:
                backends.add(connection.scalar(text("SELECT pg_backend_pid()")))
        assert len(backends) <= 3
        admin(postgres, "DROP DATABASE elsewhere WITH (FORCE)")
        with ledger.opened() as engine, engine.begin() as connection:
            connection.execute(WRITES, {"name": "own"})
    with ledger.opened() as engine, engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM accounts")) == 1
