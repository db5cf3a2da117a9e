"""A reconciliation's report as tables for people, in Prefect's UI and on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cartum_roapp.links import order_name

#: A report as `Report.as_dict` returns it.
Document = Mapping[str, Any]
Row = dict[str, Any]

_SIDES = {"shop": "shop", "ledger": "ledger", "roapp": "RO App"}
#: What was done about a difference, by its outcome.
_DONE = {
    "reported": "only reported",
    "repaired": "put right",
    "held": "held for a person",
    "waiting": "on its way to RO App",
}


def days(report: Document) -> list[Row]:
    """Returns a row for each day on which the sides differ, the newest first."""
    return [
        {"day": one["day"], **_sides(one), "waiting": one["waiting"] or None, "held": one["held"] or None}
        for one in reversed(report["days"])
        if _differs(one, "orders") or _differs(one, "sum")
    ]


def alike(report: Document) -> str:
    """Returns "61 of 62 days are alike in shop, ledger and RO App."."""
    count = len(report["days"])
    return f"{count - len(days(report))} of {count} days are alike in shop, ledger and RO App."


def currencies(report: Document) -> list[Row]:
    """Returns a row for each currency of the shop's orders."""
    return [{"currency": one["currency"] or "unknown", **_sides(one)} for one in report["currencies"]]


def findings(report: Document, named: Callable[[int, str], str] = order_name) -> list[Row]:
    """Returns a row for each order that differs: those that a person has to look at first, then the newest first.
    `named`: how RO App's order of this id and number is shown."""
    rows = [
        {
            "order": one["number"],
            "placed on": one["day"] or "unknown",
            "what differs": _what(one),
            "in RO App": "; ".join(map(named, one["roapp_ids"], one["roapp_numbers"])),
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
    return {"orders": _cell(one, "orders"), "sum": _cell(one, "sum")}


def _cell(one: Mapping[str, Any], name: str) -> str:
    """Returns what all sides have, or what each has: "shop 2, ledger 2, RO App 1"."""
    each = {
        words: "unknown" if one[f"{side}_{name}"] is None else one[f"{side}_{name}"] for side, words in _SIDES.items()
    }
    return ", ".join(f"{words} {value}" for words, value in each.items()) if _differs(one, name) else str(each["shop"])


def _differs(one: Mapping[str, Any], name: str) -> bool:
    return len({one[f"{side}_{name}"] for side in _SIDES}) > 1


def _what(finding: Mapping[str, Any]) -> str:
    """Returns the kind of difference, with the sums where those that are known differ."""
    sums = {words: total for side, words in _SIDES.items() if (total := finding[f"{side}_sum"]) is not None}
    shown = ", ".join(f"{words} {total}" for words, total in sums.items()) if len(set(sums.values())) > 1 else ""
    return f"{finding['what']}: {shown}" if shown else str(finding["what"])
