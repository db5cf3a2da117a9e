"""The result of a run as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer

from cartum_roapp.backfill_words import summary, what
from cartum_roapp.cli.output import BAD_INPUT, CommandEnd, print_failure, terminal_table
from cartum_roapp.links import roapp_name
from cartum_roapp.sync import sentence

RunResult = dict[str, Any]

# The keys of a run's document that are no counts.
_APART = (
    "shop", "run", "repair", "findings", "days", "currencies", "warnings", "dry_run", "records", "both_changed",
    "touched", "held_records", "calls_by_kind", "resent", "skipped",
)  # fmt: skip
#: At most this many orders of each kind are listed; `--json` has all.
_LISTED = 50


def counts_table(result: RunResult) -> object:
    """Returns a table of the run's counts."""
    rows = [(name, value) for name, value in result.items() if name not in _APART]
    rows += list(result.get("calls_by_kind", {}).items())
    return terminal_table(f"{result['shop']}: {result['run']}", ("", ""), rows)


def run_tables(result: RunResult) -> list[object]:
    """Returns what a run did: the orders that it touched and what is held, the counts, and in a sentence all of it."""
    return [
        *_touched(result),
        *_both_changed(result),
        *_held(result),
        counts_table(result),
        *result.get("warnings", ()),
        f"{result['shop']}: {sentence.of_run(result)}.",
    ]


def _touched(result: RunResult) -> list[object]:
    """Returns a table for each kind of order that the run touched."""
    from cartum_roapp.sync.digest import TOUCHED

    parts: list[object] = []
    of_kinds: dict[str, list[RunResult]] = {}
    for one in result.get("touched", ()):
        of_kinds.setdefault(one["what"], []).append(one)
    for kind, orders in of_kinds.items():
        rows = [
            (one["number"], "; ".join(one["changes"]), one["roapp_page"] or roapp_name(one)) for one in orders[:_LISTED]
        ]
        title = f"{len(orders)} {kind}"
        parts += [terminal_table(title, ("order", TOUCHED[kind], "in RO App"), rows), *_rest(orders, "--json has all")]
    return parts


def _held(result: RunResult) -> list[object]:
    records = result.get("held_records", ())
    if not records:
        return []
    rows = [(f"{one['entity']} {one['id']}", one["message"], one["fix"]) for one in records[:_LISTED]]
    title = sentence.of_held(one["code"] for one in records)
    rest = _rest(records, f"`cartum-roapp held list {result['shop']}` has all")
    return [terminal_table(title, ("record", "why", "what to do"), rows), *rest]


def _rest(all_: Sequence[object], where: str) -> list[object]:
    return [f"… and {len(all_) - _LISTED} more; {where}."] if len(all_) > _LISTED else []


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


def end_with_missing(slug: str, numbers: Sequence[str]) -> None:
    """Ends the command as wrong input where some of the numbers that were typed are no orders of the shop. To be called
    after its result was shown: the other orders are done."""
    if not numbers:
        return
    named = f"order{'' if len(numbers) == 1 else 's'} {', '.join(numbers)}"
    fix = f"correct the number; what is known of an order that was deleted: `cartum-roapp order show {slug} NUMBER`"
    print_failure(CommandEnd(BAD_INPUT, f"{slug}: the shop has no {named}.", fix=fix))
    raise typer.Exit(BAD_INPUT)


def _columns(records: list[RunResult], *names: str) -> tuple[tuple[str, ...], list[list[str]]]:
    """Returns the table's columns and rows. Delivered records no longer have a message and fix."""
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
    """Returns the counts, the sums by currency, the days on which the sides differ, every order that differs, and in a
    sentence all of it."""
    from cartum_roapp.reconciliation import tables

    parts = [*_touched(result), *_both_changed(result), *_held(result), counts_table(result), *result["warnings"]]
    parts += [_table("Sums by currency", tables.currencies(result)), tables.alike(result)]
    if uneven := tables.days(result):
        parts.append(_table("Days that differ", uneven))
    if found := tables.findings(result):
        parts.append(_table("Orders that differ", found))
    return [*parts, f"{result['shop']}: {sentence.of_comparison(result)}."]


def _table(title: str, rows: list[RunResult]) -> object:
    """Returns a table of the rows, without empty columns."""
    from cartum_roapp.reconciliation.tables import columns

    names = columns(rows)
    return terminal_table(title, names, [[row[name] for name in names] for row in rows])
