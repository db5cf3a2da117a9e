"""The result of a run as tables for people."""

from __future__ import annotations

from typing import Any

from cartum_roapp.cli.output import terminal_table
from cartum_roapp.links import roapp_name

RunResult = dict[str, Any]

# The keys of a run's document that are no counts.
_APART = (
    "shop",
    "run",
    "repair",
    "findings",
    "days",
    "currencies",
    "warnings",
    "dry_run",
    "records",
    "both_changed",
    "resent",
)


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


def plan_tables(result: RunResult) -> object:
    """Returns what RO App would get, and what would be held."""
    if not result["orders"] and not result["would_hold"]:
        return "No order of the shop is one of those."
    rows = [
        (
            order["number"],
            order["action"],
            order["shop_status"],
            order["status_id"] or "not matched",
            order["total"],
            "; ".join(f"{line['quantity']} × {line['title']} @ {line['price']}" for line in order["lines"]),
        )
        for order in result["orders"]
    ]
    columns = ("order", "action", "shop status", "RO App status", "total", "lines")
    held = [(row["number"], row["message"], row["fix"]) for row in result["would_hold"]]
    tables = [
        terminal_table("What RO App would get (nothing was sent)", columns, rows),
        f"{result['new']} to create, {result['changed']} to update, {result['unchanged']} as they are.",
    ]
    return [*tables, terminal_table("Would be held", ("order", "why", "fix"), held)] if held else tables


def comparison_tables(result: RunResult) -> object:
    """Returns the counts, the sums by currency, the days on which the sides differ, and every order that differs."""
    from cartum_roapp.reconciliation import tables

    days = tables.days(result)
    uneven = [day for day in days if day["differs"]]
    parts = [counts_table(result), *_both_changed(result), *result["warnings"]]
    parts.append(_table("Sums by currency", tables.currencies(result)))
    parts.append(f"{len(days) - len(uneven)} of {len(days)} days are alike in shop, ledger and RO App.")
    if uneven:
        parts.append(_table("Days that differ", uneven))
    findings = tables.findings(result)
    return [*parts, _table("Orders that differ", findings) if findings else "No order differs."]


def _table(title: str, rows: list[RunResult]) -> object:
    """Returns a table of the rows, without empty columns."""
    from cartum_roapp.reconciliation.tables import columns

    names = columns(rows)
    return terminal_table(title, names, [[row[name] for name in names] for row in rows])
