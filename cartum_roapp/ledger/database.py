"""The connection to PostgreSQL: engine, migrations, advisory locks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

HEAD = "0008"
_MIGRATING = 7_203_514_001


def connect(url: str) -> Engine:
    """An engine for the ledger. `url` may be any spelling of a PostgreSQL URL.

    Parameters are never shown in errors (they are buyers' data), and a server that went away is
    noticed before a connection is used again.
    """
    scheme, _, rest = url.partition("://")
    if scheme in ("postgres", "postgresql"):
        url = f"postgresql+psycopg2://{rest}"
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=20,
        hide_parameters=True,
        connect_args={"application_name": "cartum-roapp", "connect_timeout": 10},
    )


def migrate(engine: Engine, revision: str = HEAD) -> None:
    """Brings the schema to `revision`. May be called twice, also by two processes at once."""
    if _revision(engine) == revision:
        return
    from alembic import command
    from alembic.config import Config

    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATING})
        connection.commit()
        try:
            config = Config()
            # A percent sign starts an interpolation there.
            config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATING})
            connection.commit()


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
            return None
        revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return revision


def try_lock(connection: Connection, name: str) -> bool:
    """Takes the session's advisory lock of that name if it is free. It ends with the connection."""
    taken = connection.scalar(text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))"), {"name": name})
    connection.commit()
    return bool(taken)


def unlock(connection: Connection, name: str) -> None:
    """Gives the advisory lock back."""
    connection.execute(text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))"), {"name": name})
    connection.commit()


@contextmanager
def present(engine: Engine, name: str) -> Iterator[None]:
    """Holds the advisory lock of that name for the body, together with all others that are `present`."""
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock_shared(hashtextextended(:name, 0))"), {"name": name})
        connection.commit()
        try:
            yield
        finally:
            try:
                connection.execute(text("SELECT pg_advisory_unlock_shared(hashtextextended(:name, 0))"), {"name": name})
                connection.commit()
            except DBAPIError:  # the lock has gone with its connection
                connection.invalidate()


def anybody(connection: Connection, name: str) -> bool:
    """Is anybody `present` under that name? Not for one's own connection."""
    free = connection.scalar(text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})
    connection.rollback()
    return not free


@contextmanager
def locked(engine: Engine, name: str) -> Iterator[Connection]:
    """Waits for the advisory lock of that name and holds it for the body."""
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(hashtextextended(:name, 0))"), {"name": name})
        connection.commit()
        try:
            yield connection
        finally:
            if not connection.invalidated:
                connection.rollback()
                unlock(connection, name)
