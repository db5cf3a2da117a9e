"""What is asked often stays quick while the ledger grows: no query of those reads a table whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from cartum_roapp.ledger import runs, timeline
from cartum_roapp.ledger.database import connect

_EVENTS = """
    INSERT INTO order_events (shop, number, at, kind)
    SELECT 'abcdef', n, now(), 'deleted' FROM generate_series(1, 20000) n
"""
_RUNS = """
    INSERT INTO runs (id, shop, kind, finished_at, state)
    SELECT n, 'abcdef', 'sync', now(), 'completed' FROM generate_series(1, 20000) n
"""


@pytest.mark.parametrize(
    ("table", "ask"),
    [
        ("order_events", lambda engine: timeline.of_order(engine, "abcdef", "7")),
        ("runs", runs.unfinished),
    ],
    ids=["the story of an order", "runs under way"],
)
def test_it_is_found_by_an_index(database: str, table: str, ask: Callable[[Engine], object]) -> None:
    engine = connect(database)
    with engine.begin() as connection:
        for filled in (_EVENTS, _RUNS):
            connection.execute(text(filled))
        connection.execute(text("ANALYZE order_events, runs"))
    asked: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append(cursor.mogrify(statement, parameters).decode())

    event.listen(engine, "before_cursor_execute", note)
    ask(engine)
    event.remove(engine, "before_cursor_execute", note)
    plans = []
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        for query in asked:
            if f"FROM {table}" in " ".join(query.split()):
                cursor.execute(f"EXPLAIN {query}")
                plans.append("\n".join(line for (line,) in cursor.fetchall()))
    engine.dispose()
    assert plans and not [plan for plan in plans if f"Seq Scan on {table}" in plan], plans
