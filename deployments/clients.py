"""Clients of the two systems for flows that wait for a person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cartum_roapp.connection.access import Clients, clients_of
from cartum_roapp.service import ledger
from cartum_roapp.settings import settings
from cartum_roapp.sync.failure import sanitized_errors


@contextmanager
def open_clients() -> Iterator[Clients]:
    """Yields the clients, which keep the accounts' call budget. Errors inside are sanitized."""
    with sanitized_errors(), ledger.opened() as engine:
        yield clients_of(lambda: engine, settings())
