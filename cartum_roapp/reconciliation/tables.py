"""A reconciliation's report as tables for people, in Prefect's UI and on the terminal: what differs comes first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: A report as `Report.as_dict` returns it.
Document = Mapping[str, Any]
Row = dict[str, Any]

_SIDES = {"shop": "shop", "ledger": "ledger", "roapp": "RO App"}
#: What was done about a difference, by its outcome.
_DONE = {
    "reported": "nothing, only told",
    "repaired": "put right",
    "held": "held for a person",
    "waiting": "on its way to RO App",
}


def days(report: Document) -> list[Row]:
    """Returns a row for each day: the days on which the sides differ first, then the newest first."""
    rows = [{"day": one["day"], "differs": _differs(one), **_sides(one), "waiting": one["waiting"], "held": one["held"]}
            for one in reversed(report["days"])]  # fmt: skip
    return sorted(rows, key=lambda row: not row["differs"])


def currencies(report: Document) -> list[Row]:
    """Returns a row for each currency of the shop's orders."""
    return [
        {"currency": one["currency"] or "unknown", "differs": _differs(one), **_sides(one)}
        for one in report["currencies"]
    ]


def findings(report: Document) -> list[Row]:
    """Returns a row for each order that differs: those that a person has to look at first, then the newest first."""
    rows = [
        {
            "order": one["number"],
            "placed on": one["day"] or "unknown",
            "what differs": one["what"],
            **{f"sum in {words}": one[f"{side}_sum"] for side, words in _SIDES.items()},
            "RO App's id": ", ".join(map(str, one["roapp_ids"])),
            "what to do": one["to_do"],
            "what was done": _DONE[one["outcome"]],
        }
        for one in sorted(report["findings"], key=lambda one: one["day"], reverse=True)
    ]
    return sorted(rows, key=lambda row: row["what was done"] in (_DONE["repaired"], _DONE["waiting"]))


def columns(rows: Sequence[Row]) -> list[str]:
    """Returns the names of the columns that hold anything."""
    return [name for name in rows[0] if any(row[name] not in (None, "") for row in rows)] if rows else []


def _sides(one: Mapping[str, Any]) -> Row:
    counts = {f"orders in {words}": one[f"{side}_orders"] for side, words in _SIDES.items()}
    return {**counts, **{f"sum in {words}": one[f"{side}_sum"] for side, words in _SIDES.items()}}


def _differs(one: Mapping[str, Any]) -> str:
    """Returns in what the sides differ: orders, sums, both, or "" for nothing."""
    parts = [name for name in ("orders", "sum") if len({one[f"{side}_{name}"] for side in _SIDES}) > 1]
    return " and ".join("sums" if part == "sum" else part for part in parts)
