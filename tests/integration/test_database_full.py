"""The disk of the database's server is full: a run ends with the sentence of a full disk."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from cartum_roapp.errors import Retryable
from cartum_roapp.ledger.database import connect
from cartum_roapp.sync.failure import sanitized_errors


def test_a_statement_that_finds_no_space_says_so(database: str) -> None:
    engine = connect(database)
    with (
        pytest.raises(Retryable, match="is full: the one of the database") as full,
        sanitized_errors(),
        engine.begin() as connection,
    ):
        connection.execute(text("COPY (SELECT repeat('x', 100000)) TO '/dev/full'"))
    assert full.value.fix == "Free some space, then repeat."
    engine.dispose()
