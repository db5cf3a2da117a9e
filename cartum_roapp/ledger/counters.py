"""What the runs of each shop did, added up. While the shop is here the sums only grow, whatever is removed from
`runs`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func
from sqlalchemy.dialects.postgresql import insert

from cartum_roapp.ledger.tables import counters

#: The counters. What each one counts (`of`) is the end of a run (`completed` …), the kind of the error that it failed
#: with, a kind of call (`apis.calls`), or what became of an order.
RUNS, ERRORS, CALLS, ORDERS = "runs", "errors", "calls", "orders"
#: What becomes of orders in a run. (How many are held says the table `held`.)
OUTCOMES = ("new", "changed", "delivered")


def add(connection: Connection, shop: str, run: str, *, state: str, counts: Mapping[str, Any]) -> None:
    """Adds one run that has ended. `run` is its kind, `counts` its result as a document, {} for one that was killed."""
    found = {(RUNS, state): 1}
    if "failure" in counts:
        found[ERRORS, counts["failure"]["kind"]] = 1
    found |= {(CALLS, kind): int(number) for kind, number in counts.get("calls_by_kind", {}).items()}
    found |= {(ORDERS, outcome): int(counts.get(outcome, 0)) for outcome in OUTCOMES}
    rows = [
        {"shop": shop, "run": run, "counter": counter, "of": of, "value": value}
        for (counter, of), value in sorted(found.items())  # sorted: two runs at once lock the rows in the same order
        if value
    ]
    added = insert(counters).values(rows)
    connection.execute(
        added.on_conflict_do_update(
            index_elements=list(counters.primary_key),
            set_={"value": counters.c.value + added.excluded.value, "last_at": func.now()},
        )
    )
