"""A backfill in words, for the command line and Prefect's UI: its options, and what a dry run says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cartum_roapp.sync import sentence

SLUGS = "The shops' short names. Each shop gets its own run."
FIRST = "First day, on the shop's clock. Left out: since the shop's first order."
LAST = "Last day, on the shop's clock. Left out: today."
STATUS = "Only orders in this status: its name in the shop, or its id; may be repeated."
IDS = "Only these orders: the shop's order numbers."
DRY = "Read both systems and show what would be done with each order. Nothing is sent."


def summary(document: Mapping[str, Any]) -> str:
    """Returns what a real run would do in all, and what it costs."""
    cost = document["real_run"]
    time = f"about {cost['minutes']:.0f} minutes" if cost["minutes"] >= 1 else "less than a minute"
    return f"{sentence.of_plan(document)}. A real run takes about {cost['calls']} calls to RO App: {time}."


def canceled(document: dict[str, Any]) -> str:
    """Returns what a cancel has ended, and what became of its orders."""
    out, there = document["taken_out"], document["delivered"]
    taken = f"{out} {'order is' if out == 1 else 'orders are'} taken out of the queue"
    stays = f"{there} {'was delivered and stays' if there == 1 else 'were delivered and stay'}"
    return f"Backfill {document['id']} of {document['shop']} ({document['what']}) is canceled: " + (
        f"{taken}, {stays}{left(document)}."
    )


def left(document: dict[str, Any]) -> str:
    """Returns what of a canceled backfill is delivered all the same, as the end of a sentence; "" if nothing is."""
    count = document["begun"]
    if count == 1:
        return "; 1 is delivered all the same, because it is partly in RO App or something else needs it"
    why = "because they are partly in RO App or something else needs them"
    return f"; {count} are delivered all the same, {why}" if count else ""


def what(order: dict[str, Any]) -> str:
    """Returns the changes of one order, and why something of it would be held."""
    changes = [
        f"{one['field']}: {one['old']} → {one['new']}" if one["old"] is not None else f"{one['field']}: {one['new']}"
        for one in order["changes"]
    ]
    return "; ".join([*changes, *(f"{one['entity']} held: {one['code']}" for one in order["held"])])
