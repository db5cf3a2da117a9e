"""The connection to PostgreSQL: engine, migrations, advisory locks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import psycopg2.extensions
from sqlalchemy import Connection, Engine, Pool, QueuePool, create_engine, text
from sqlalchemy.exc import DBAPIError

log = logging.getLogger(__name__)

HEAD = "0009"


def connect(url: str, poolclass: type[Pool] = QueuePool) -> Engine:
    """An engine for the ledger. `url` may be any spelling of a PostgreSQL URL.

    Parameters are never shown in errors (they are buyers' data), and a server that went away is
    noticed before a connection is used again.
    """
    scheme, _, rest = url.partition("://")
    if scheme in ("postgres", "postgresql"):
        url = f"postgresql+psycopg2://{rest}"
    size = {"pool_size": 5, "max_overflow": 20} if poolclass is QueuePool else {}
    return create_engine(
        url,
        poolclass=poolclass,
        pool_pre_ping=True,
        **size,
        hide_parameters=True,
        connect_args={"application_name": "cartum-roapp", "connect_timeout": 10},
    )


def migrate(engine: Engine, revision: str = HEAD) -> None:
    """Brings the schema to `revision`. May be called twice, also by two processes at once."""
    if _revision(engine) == revision:
        return
    from alembic import command
    from alembic.config import Config

    with locked(engine, "migrations"), engine.connect() as connection:
        config = Config()
        # A percent sign starts an interpolation there.
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


def _revision(engine: Engine) -> str | None:
    with reading(engine) as connection:
        if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
            return None
        revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return revision


@contextmanager
def autocommit(connection: Connection) -> Iterator[Connection]:
    """Each statement of the body by itself, in one round trip, with no transaction around them. May be nested."""
    driver = connection.connection.dbapi_connection
    assert isinstance(driver, psycopg2.extensions.connection)
    if driver.autocommit:
        yield connection
        return
    driver.autocommit = True
    try:
        with connection.begin():  # for SQLAlchemy alone: the driver sends no BEGIN
            yield connection
    finally:
        if not driver.closed:
            driver.autocommit = False


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for statements that write nothing."""
    with engine.connect() as connection, autocommit(connection):
        yield connection


# Advisory locks. A name is any text; a lock belongs to the connection and ends with it.


def try_lock(connection: Connection, name: str) -> bool:
    """Takes the lock of that name if it is free."""
    return _ask(connection, "pg_try_advisory_lock", name)


def unlock(connection: Connection, name: str, function: str = "pg_advisory_unlock") -> None:
    """Gives the lock back; harmless when the connection is gone, and the lock with it."""
    if connection.closed or connection.invalidated:
        return
    try:
        connection.rollback()
        _ask(connection, function, name)
    except DBAPIError as error:
        log.info("the advisory lock %s went with its connection (%s)", name, type(error.orig).__name__)
        connection.invalidate()


@contextmanager
def locked(engine: Engine, name: str) -> Iterator[None]:
    """Waits for the lock of that name and holds it for the body."""
    with engine.connect() as connection:
        _ask(connection, "pg_advisory_lock", name)
        try:
            yield
        finally:
            unlock(connection, name)


@asynccontextmanager
async def locked_soon(engine: Engine, name: str, may_go_on: Callable[[], object] = lambda: None) -> AsyncIterator[None]:
    """The same for a coroutine: other tasks go on while it looks for the lock now and then. `may_go_on` is asked before
    each look, and may end the wait by what it raises."""
    with engine.connect() as connection:
        while not try_lock(connection, name):
            may_go_on()
            await asyncio.sleep(0.2)
        try:
            yield
        finally:
            unlock(connection, name)


@contextmanager
def present(engine: Engine, name: str) -> Iterator[None]:
    """Holds the lock of that name for the body, together with all others that are `present`."""
    with engine.connect() as connection:
        _ask(connection, "pg_advisory_lock_shared", name)
        try:
            yield
        finally:
            unlock(connection, name, "pg_advisory_unlock_shared")


def anybody(connection: Connection, name: str) -> bool:
    """Is anybody `present` under that name? Not for one's own connection."""
    return not _ask(connection, "pg_try_advisory_xact_lock", name)


def _ask(connection: Connection, function: str, name: str) -> bool:
    with autocommit(connection):
        return bool(connection.scalar(text(f"SELECT {function}(hashtextextended(:name, 0))"), {"name": name}))
