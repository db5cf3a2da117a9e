"""The two systems, to be asked while a person waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cartum_roapp.connection.access import Clients, clients_of
from cartum_roapp.service import ledger
from cartum_roapp.settings import settings
from tasks.failure import sanitized_errors


@contextmanager
def open_clients() -> Iterator[Clients]:
    """How a flow calls them, within the accounts' call budget; errors leave it without foreign texts."""
    with sanitized_errors(), ledger.opened() as engine:
        yield clients_of(lambda: engine, settings())
