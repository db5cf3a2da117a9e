"""Opens the ledger of this home."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from cartum_roapp.home import Home
from cartum_roapp.ledger import database
from cartum_roapp.postgres.database_url import DatabaseUrl
from cartum_roapp.postgres.embedded import embedded_url
from cartum_roapp.service.startup import state, use
from cartum_roapp.settings import settings

_shared: ContextVar[Engine | None] = ContextVar("shared", default=None)


@contextmanager
def shared(url: str) -> Iterator[Engine]:
    """Yields the ledger's engine, with the schema migrated. Inside, `opened` yields it as well while its database
    answers: the syncs of a worker share connections, each of which costs the server as much as a sync's statements."""
    engine = database.connect(url)
    token = _shared.set(engine)
    try:
        database.migrate(engine)
        yield engine
    finally:
        _shared.reset(token)
        engine.dispose()


@contextmanager
def opened() -> Iterator[Engine]:
    """Yields the ledger's engine, with the database up and the schema migrated. May be nested."""
    common = _shared.get()
    if common is not None and _answers(common):
        yield common
        return
    engine = database.connect(use(settings(), prefect=False).database_url.get_secret_value())
    try:
        database.migrate(engine)
        yield engine
    finally:
        engine.dispose()


def _answers(engine: Engine) -> bool:
    """Returns False as well for a server that can only be read: what `use` says of it names the fix."""
    try:
        database.migrate(engine)
        with database.reading(engine) as connection:
            return bool(connection.scalar(text("SELECT current_setting('transaction_read_only') = 'off'")))
    except DBAPIError as error:
        if isinstance(error, OperationalError) or error.connection_invalidated:
            return False
        raise


@contextmanager
def opened_if_up() -> Iterator[Engine | None]:
    """Yields the ledger's engine as it is, or None if the home's own database does not run: this starts nothing. Its
    schema may be older. The database may go away meanwhile, and one of the operator's own may be down."""
    config = settings()
    if config.database_url is None and state(config).phase != "running":
        yield None
        return
    url = DatabaseUrl.parse(config.database_url) if config.database_url else embedded_url(Home(config.home))
    engine = database.connect(url.sqlalchemy().get_secret_value())
    try:
        yield engine
    finally:
        engine.dispose()
