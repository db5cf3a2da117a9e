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
    """An import of `orders` orders into an RO App that takes `latency` seconds for each call."""

    orders: int
    latency: float
    found: Budget


def used(database_url: str, orders: int, latency: float) -> Used:
    """On real time, into an empty ledger; from RO App's first call to the last order that was made: then fewer are
    left than can be in flight."""
    with serving(orders, LINES, rate_limit=3, latency=latency) as shop:
        job = {**shop.access, "database_url": database_url, "roapp": shop.roapp}
        measure([sys.executable, "-m", "benchmarks.load"], job)
        calls = shop.calls()
    made = [place for place, call in enumerate(calls) if (call.method, call.path) == ("POST", "/orders")]
    return Used(orders, latency, budget(calls[: made[-1] + 1]))
