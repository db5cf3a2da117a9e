"""The result of a run as tables for people."""

from __future__ import annotations

from typing import Any

from cartum_roapp.backfill_words import summary, what
from cartum_roapp.cli.output import terminal_table
from cartum_roapp.links import roapp_name

RunResult = dict[str, Any]

# The keys of a run's document that are no counts.
_APART = ("shop", "run", "repair", "findings", "days", "warnings", "dry_run", "records", "both_changed", "resent")


def counts_table(result: RunResult) -> object:
    """Returns a table of the run's counts."""
    rows = [(name, value) for name, value in result.items() if name not in (*_APART, "calls_by_kind")]
    rows += list(result.get("calls_by_kind", {}).items())
    return terminal_table(f"{result['shop']}: {result['run']}", ("", ""), rows)


def run_tables(result: RunResult) -> list[object]:
    """Returns a table of the run's counts, and one of the orders whose status both sides had changed."""
    return [counts_table(result), *result.get("warnings", ()), *_both_changed(result)]


def _both_changed(result: RunResult) -> list[object]:
    rows = [(one["number"], one["shop_status"], one["roapp_status"]) for one in result.get("both_changed", ())]
    if not rows:
        return []
    columns = ("order", "status in the shop", "status in RO App")
    return [terminal_table("Changed on both sides; the shop's status was taken", columns, rows)]


def replay_tables(result: RunResult) -> object:
    """Returns what became of each held record."""
    records = result["records"]
    if not records:
        return f"Nothing to replay: `cartum-roapp held list {result['shop']}` shows what is held."
    if result["dry_run"]:
        return terminal_table("Would be replayed (nothing was sent)", *_columns(records, "code", "message"))
    parts = [terminal_table("Replayed", *_columns(records, "outcome", "message", "fix")), *run_tables(result)]
    return parts


def resend_tables(result: RunResult) -> list[object]:
    """Returns what became of each order that was sent again."""
    rows = [
        (
            one["number"],
            one["outcome"],
            roapp_name(one),
            "; ".join(one["written"]) or "nothing",
            " ".join(filter(None, (one["message"], one["fix"]))),
        )
        for one in result["resent"]
    ]
    columns = ("order", "outcome", "in RO App", "written there", "why, and what to do")
    return [terminal_table("Sent again", columns, rows), *run_tables(result)]


def _columns(records: list[RunResult], *names: str) -> tuple[tuple[str, ...], list[list[str]]]:
    """Returns the table's columns and rows. Delivered records have no message and fix any more."""
    done = [one.get("outcome") == "delivered" for one in records]
    rows = [
        [f"{one['entity']} {one['id']}", *("" if gone and name in ("message", "fix") else one[name] for name in names)]
        for one, gone in zip(records, done, strict=True)
    ]
    return ("record", *names), rows


def plan_tables(result: RunResult) -> list[object]:
    """Returns what would be done with each order, what would be held, and what a real run costs."""
    if not result["orders"] and not result["would_hold"]:
        return ["No order of the shop is one of those."]
    rows = [
        (order["number"], order["action"], what(order), order["shop_status_name"] or order["shop_status"],
         order["total"])
        for order in result["orders"]
    ]  # fmt: skip
    columns = ("order", "would", "what", "status in the shop", "total")
    held = [(f"{one['entity']} {one['id']}", one["code"], one["message"], one["fix"]) for one in result["would_hold"]]
    tables = [terminal_table("What a real run would do (nothing was sent)", columns, rows), summary(result)]
    return [*tables, terminal_table("Would be held", ("record", "code", "why", "fix"), held)] if held else tables


def comparison_tables(result: RunResult) -> object:
    """Returns the counts, the days on which the sides differ, and every order that differs."""
    days = result["days"]
    uneven = [day for day in days if not _is_even(day)]
    columns = ("day", "shop_orders", "shop_sum", "ledger_orders", "ledger_sum", "roapp_orders", "roapp_sum", "held")
    parts = [counts_table(result), *_both_changed(result), *result["warnings"]]
    parts.append(f"{len(days) - len(uneven)} of {len(days)} days are alike in shop, ledger and RO App.")
    if uneven:
        parts.append(terminal_table("Days that differ", columns, [[day[name] for name in columns] for day in uneven]))
    if not result["findings"]:
        return [*parts, "No order differs."]
    columns = ("number", "day", "what", "shop_sum", "ledger_sum", "roapp_sum", "to_do", "outcome")
    return [
        *parts,
        terminal_table("Orders that differ", columns, [[one[name] for name in columns] for one in result["findings"]]),
    ]


def _is_even(day: dict[str, Any]) -> bool:
    sides = {(day[f"{side}_orders"], day[f"{side}_sum"]) for side in ("shop", "ledger", "roapp")}
    return len(sides) == 1
