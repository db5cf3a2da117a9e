"""The connection to PostgreSQL: engine, migrations, advisory locks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Any

import psycopg2.extensions
from psycopg2 import errorcodes
from sqlalchemy import Connection, Engine, ExceptionContext, Pool, QueuePool, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError

from cartum_roapp.ledger import revision

log = logging.getLogger(__name__)

# Over TCP a dead peer is noticed after a minute, on both sides: else its locks would be held for hours.
_IDLE, _INTERVAL, _COUNT, _UNANSWERED = 30, 10, 3, 60_000
# Not as startup options, which poolers refuse.
_SERVER = f"""
    SELECT set_config(name, ours.value, false)
    FROM (VALUES ('tcp_keepalives_idle', '{_IDLE}'), ('tcp_keepalives_interval', '{_INTERVAL}'),
                 ('tcp_keepalives_count', '{_COUNT}'), ('tcp_user_timeout', '{_UNANSWERED}')) AS ours (name, value)
    JOIN pg_settings USING (name) WHERE source <> 'client' AND inet_client_addr() IS NOT NULL
"""
_CLIENT: dict[str, Any] = {
    "application_name": "cartum-roapp", "connect_timeout": 10, "keepalives_idle": _IDLE,
    "keepalives_interval": _INTERVAL, "keepalives_count": _COUNT, "tcp_user_timeout": _UNANSWERED,
}  # fmt: skip

#: How many connections an engine keeps. One that is older than so many seconds is replaced when it is next used, so
#: that none stays with a server that is no longer the primary one.
_KEPT, _KEPT_FOR = 20, 60

#: Seconds between two looks for a lock that another process has: who lets others have it waits for longer.
LOOKS = 0.2


def connect(url: str, poolclass: type[Pool] = QueuePool) -> Engine:
    """An engine for the ledger. `url` may be any spelling of a PostgreSQL URL.

    Parameters are never shown in errors (they are buyers' data), and a server that went away is
    noticed before a connection is used again. Over TCP each side ends a connection whose other side does not answer
    for a minute; what the address says of that counts.
    """
    scheme, _, rest = url.partition("://")
    if scheme in ("postgres", "postgresql"):
        url = f"postgresql+psycopg2://{rest}"
    size = {"pool_size": _KEPT, "max_overflow": -1, "pool_recycle": _KEPT_FOR} if poolclass is QueuePool else {}
    given = make_url(url).query
    engine = create_engine(
        url,
        poolclass=poolclass,
        pool_pre_ping=True,
        **size,
        hide_parameters=True,
        connect_args={name: value for name, value in _CLIENT.items() if name not in given},
    )
    event.listen(engine, "connect", _end_when_gone)
    event.listen(engine, "handle_error", _leave_standby)
    return engine


def _end_when_gone(connection: psycopg2.extensions.connection, _: object) -> None:
    """Has the server end the new connection when our side is gone."""
    with connection.cursor() as cursor:
        cursor.execute(_SERVER)
    connection.commit()


def _leave_standby(context: ExceptionContext) -> None:
    """After a failover, connections to a server that can only be read now count as broken."""
    if getattr(context.original_exception, "pgcode", None) == errorcodes.READ_ONLY_SQL_TRANSACTION:
        context.is_disconnect = True


def migrate(engine: Engine) -> None:
    """Brings the schema to this version's. Idempotent, also for two processes at once. Raises BadConfig for the
    ledger of another version, and changes nothing then."""
    with reading(engine) as connection:
        there = revision.found(lambda query: connection.scalar(text(query)))
    if there == revision.HEAD:
        return
    revision.check(there, f"{engine.url.host}/{engine.url.database}", "CARTUM_ROAPP_DATABASE_URL")
    from alembic import command
    from alembic.config import Config

    with locked(engine, "migrations"), engine.connect() as connection:
        config = Config()
        # A percent sign starts an interpolation there.
        config.set_main_option("script_location", str(revision.MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision.HEAD)
        connection.commit()


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


def clock(connection: Connection) -> datetime:
    """Returns this moment by the database's clock (UTC)."""
    now: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now


def try_lock(connection: Connection, name: str) -> bool:
    """Takes the lock of that name if it is free."""
    return _ask(connection, "pg_try_advisory_lock", name)


def unlock(connection: Connection, name: str) -> None:
    """Releases the lock; harmless when the connection is gone, and the lock with it."""
    if connection.closed or connection.invalidated:
        return
    try:
        connection.rollback()
        _ask(connection, "pg_advisory_unlock", name)
    except DBAPIError as error:
        log.info("the advisory lock %s went with its connection (%s)", name, type(error.orig).__name__)
        connection.invalidate()


def answers(connection: Connection) -> bool:
    """Returns whether the connection still exists, and so the locks that it has."""
    if connection.closed or connection.invalidated:
        return False
    try:
        with autocommit(connection):
            connection.execute(text("SELECT 1"))
    except DBAPIError:
        connection.invalidate()
        return False
    return True


@contextmanager
def locked(engine: Engine, name: str) -> Iterator[Connection]:
    """Waits for the lock of that name and holds it for the body. Yields the connection that has it."""
    with engine.connect() as connection:
        _ask(connection, "pg_advisory_lock", name)
        try:
            yield connection
        finally:
            unlock(connection, name)


@asynccontextmanager
async def locked_soon(engine: Engine, name: str, waits: Callable[[], None] = lambda: None) -> AsyncIterator[Connection]:
    """The same for a coroutine: other tasks continue while it tries the lock now and then. Yields the connection that
    has it. `waits` is called whenever the lock is not free; what it raises ends the wait."""
    with engine.connect() as connection:
        while not try_lock(connection, name):
            waits()
            await asyncio.sleep(LOOKS)
        try:
            yield connection
        finally:
            unlock(connection, name)


def _ask(connection: Connection, function: str, name: str) -> bool:
    try:
        with autocommit(connection):
            return bool(connection.scalar(text(f"SELECT {function}(hashtextextended(:name, 0))"), {"name": name}))
    except BaseException:
        connection.invalidate()  # it may have the lock, and goes back to others
        raise
