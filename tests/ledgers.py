"""Ledgers for tests, each in a database of a process' own on one real PostgreSQL. It is emptied before each test: that
takes some milliseconds, a new database some hundred."""

from __future__ import annotations

import os

from sqlalchemy import make_url
from world import admin

from cartum_roapp.ledger import database, tables

TEMPLATE = "cartum_roapp_tests"
ENDED_WITHIN = 10_000  # milliseconds

_made: set[str] = set()


def prepare(server: str) -> None:
    """Makes the database that all ledgers begin as a copy of."""
    admin(server, f"CREATE DATABASE {TEMPLATE}")
    engine = database.connect(_url(server, TEMPLATE))
    database.migrate(engine)
    engine.dispose()


def empty_ledger(server: str) -> str:
    """The URL of this process' ledger (SQLAlchemy with psycopg2): all tables, no rows. Commits don't wait for the disk.
    May be called again: ends all connections and empties it."""
    name = f"{TEMPLATE}_{os.getpid()}"
    url = _url(server, name)
    if url not in _made:
        admin(server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        admin(server, f"ALTER DATABASE {name} SET synchronous_commit = off")
        _made.add(url)
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    admin(url, f"SELECT pg_terminate_backend(pid, {ENDED_WITHIN}) {others}")
    admin(url, "; ".join(f"DELETE FROM {table.name}" for table in reversed(tables.metadata.sorted_tables)))
    return url


def _url(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)
