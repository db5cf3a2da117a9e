"""How much of RO App's 3 calls a second an import uses, where RO App takes its time."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from benchmarks.process import measure
from benchmarks.shop import serving
from sandbox.budget import Budget, budget

LINES = 2


@dataclass(frozen=True)
class Used:
    """An import of `orders` orders into an RO App that takes `latency` seconds for each call; None: without any limit,
    at once. `calls` are all of the import; `needed` are those that changed something in RO App: orders, lines,
    contacts, products, statuses, comments."""

    orders: int
    latency: float | None
    found: Budget
    calls: int
    needed: int


def used(database_url: str, orders: int, latency: float | None) -> Used:
    """Into an empty ledger; `found` is from RO App's first call to the last order that was made: then fewer are left
    than can be in flight."""
    pace = {} if latency is not None else {"CARTUM_ROAPP_ROAPP_INTERVAL": "0"}
    with serving(orders, LINES, rate_limit=0 if latency is None else 3, latency=latency or 0.0) as shop:
        job = {**shop.access, "database_url": database_url, "roapp": shop.roapp}
        measure([sys.executable, "-m", "benchmarks.load"], job, pace)
        calls = shop.calls()
    made = [place for place, call in enumerate(calls) if (call.method, call.path) == ("POST", "/orders")]
    return Used(orders, latency, budget(calls[: made[-1] + 1]), len(calls), sum(call.written for call in calls))
