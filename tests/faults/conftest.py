"""docs/reliability.md is written by the tests of this folder: each puts in its row what it tried and what that cost."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from points import SHARES, Points, Server
from reliability import Record
from sampling import Sample
from world import admin

from cartum_roapp.ledger import database


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Record:
    """Fails the test unless nothing is lost, doubled or wrong; with `--full` puts a row into docs/reliability.md."""
    return Record(request.config)


@pytest.fixture(scope="session")
def server(postgres: str) -> Iterator[Server]:
    """Gives each point of a fault a ledger of its own."""
    name = f"points_{secrets.token_hex(4)}"
    admin(postgres, f"CREATE DATABASE {name}")
    engine = database.connect(f"{postgres.rpartition('/')[0]}/{name}")
    database.migrate(engine)
    engine.dispose()
    yield Server(postgres, name)
    admin(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def pool() -> Iterator[Executor]:
    """The processes that try faults side by side."""
    with ProcessPoolExecutor(SHARES, mp_context=get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def points(pool: Executor, server: Server, sample: Sample) -> Points:
    """Tries the points of a fault, several at once."""
    return Points(pool, server, sample)
