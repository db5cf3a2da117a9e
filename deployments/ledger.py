"""The ledger of this home, for a moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from cartum_roapp import service
from cartum_roapp.connection.access import Doors, doors_of
from cartum_roapp.ledger import database
from cartum_roapp.settings import settings
from tasks.failure import told


@contextmanager
def opened() -> Iterator[Engine]:
    """Its engine, with the database up and the schema current inside. May be nested."""
    with service.use(settings(), prefect=False) as running:
        engine = database.connect(running.database_url.get_secret_value())
        try:
            database.migrate(engine)
            yield engine
        finally:
            engine.dispose()


@contextmanager
def doors() -> Iterator[Doors]:
    """How a flow calls the two systems while a person waits; errors leave it without foreign texts."""
    with told(), opened() as engine:
        yield doors_of(lambda: engine, settings())
