"""Opens the ledger of this home."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from cartum_roapp.ledger import database
from cartum_roapp.service.usage import use
from cartum_roapp.settings import settings


@contextmanager
def opened() -> Iterator[Engine]:
    """Yields the ledger's engine, with the database up and the schema migrated. May be nested."""
    with use(settings(), prefect=False) as running:
        engine = database.connect(running.database_url.get_secret_value())
        try:
            database.migrate(engine)
            yield engine
        finally:
            engine.dispose()
