"""docs/reliability.md is written by the tests of this folder: each puts in its row what it tried and what that cost."""

from __future__ import annotations

import pytest
from reliability import Record, rewrite, stored


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Record:
    """Puts a row into the table of docs/reliability.md; fails the test unless nothing is lost, doubled or wrong."""
    return Record(request.config)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The rows of this run take the place of those that the table had."""
    if not hasattr(session.config, "workerinput"):
        rewrite(stored(session.config))
