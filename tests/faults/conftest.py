"""docs/reliability.md is written by the tests of this folder: each puts in its row what it tried and what that cost."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from one_order import Wire
from points import Points, begin
from reliability import Record
from sampling import Sample

from sandbox import Sandbox

#: As many as try something that mostly waits.
PROCESSES = 8


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Record:
    """Fails the test unless nothing is lost, doubled or wrong; with `--full` puts a row into docs/reliability.md."""
    return Record(request.config)


@pytest.fixture(scope="session")
def pool() -> Iterator[Executor]:
    """The processes that try faults side by side; each begins when it is needed."""
    with ProcessPoolExecutor(PROCESSES, get_context("spawn"), begin) as pool:
        yield pool


@pytest.fixture
def points(pool: Executor, postgres: str, sample: Sample) -> Points:
    """Tries the points of a fault, several at once."""
    return Points(pool, postgres, sample)


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    """A client of an RO App that knows no limit."""
    with Sandbox(orders=1, products=4, rate_limit=0) as box:
        wire = Wire(box)
        yield wire
        wire.close()
