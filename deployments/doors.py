"""The two systems, to be asked while a person waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cartum_roapp.connection.access import Doors, doors_of
from cartum_roapp.service import ledger
from cartum_roapp.settings import settings
from tasks.failure import told


@contextmanager
def opened() -> Iterator[Doors]:
    """How a flow calls them, within the accounts' call budget; errors leave it without foreign texts."""
    with told(), ledger.opened() as engine:
        yield doors_of(lambda: engine, settings())
