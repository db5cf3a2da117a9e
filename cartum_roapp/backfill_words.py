"""A backfill in words, for the command line and Prefect's UI: its options, and what a dry run says."""

from __future__ import annotations

from typing import Any

SLUGS = "The shops' names on the command line; each gets a run of its own."
FIRST = "First day, on the shop's clock. Left out: since the shop's first order."
LAST = "Last day, on the shop's clock. Left out: today."
STATUS = "Only orders in this status: its name in the shop, or its id; may be repeated."
IDS = "Only these orders: the shop's order numbers."
DRY = "Look into both systems and say for each order what would be done; send nothing."


def summary(document: dict[str, Any]) -> str:
    """Returns what a real run would do in all, and what it costs."""
    done = document["actions"]
    counts = [f"{done[action]} to {action}" for action in ("create", "adopt", "change") if done[action]]
    counts += [f"{done['nothing']} as they are", f"{done['held']} held"]
    counts += [f"{done['wait']} wait for an earlier call"] if done["wait"] else []
    cost = document["real_run"]
    time = f"about {cost['minutes']:.0f} minutes" if cost["minutes"] >= 1 else "less than a minute"
    return f"{', '.join(counts)}. A real run takes about {cost['calls']} calls to RO App: {time}."


def what(order: dict[str, Any]) -> str:
    """Returns the changes of one order, and why something of it would be held."""
    changes = [
        f"{one['field']}: {one['old']} → {one['new']}" if one["old"] is not None else f"{one['field']}: {one['new']}"
        for one in order["changes"]
    ]
    return "; ".join([*changes, *(f"{one['entity']} held: {one['code']}" for one in order["held"])])
