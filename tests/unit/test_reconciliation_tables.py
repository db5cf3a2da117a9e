"""What a person reads first in the tables of a reconciliation."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from cartum_roapp.cli.outcomes import comparison_tables
from cartum_roapp.reconciliation import tables

EVEN = {"shop_orders": 2, "shop_sum": "20.00", "ledger_orders": 2, "ledger_sum": "20.00", "roapp_orders": 2,
        "roapp_sum": "20.00", "waiting": 0, "held": 0}  # fmt: skip
FOUND = {"what": "sum-differs-in-roapp", "shop_sum": "10.00", "ledger_sum": "10.00", "roapp_sum": "9.00",
         "roapp_ids": [77], "to_do": "bring its lines to what the shop has"}  # fmt: skip
REPORT: dict[str, Any] = {
    "shop": "mavka",
    "run": "reconcile",
    "warnings": [],
    "days": [
        {"day": "2026-11-01", **EVEN, "roapp_sum": "19.00"},
        {"day": "2026-11-02", **EVEN},
        {"day": "2026-11-03", **EVEN, "roapp_orders": 1, "roapp_sum": "10.00"},
    ],
    "currencies": [{"currency": "UAH", **EVEN, "roapp_sum": None}, {"currency": "", **EVEN}],
    "findings": [
        {"number": "1", "day": "2026-11-01", **FOUND, "outcome": "repaired"},
        {"number": "2", "day": "2026-11-01", **FOUND, "outcome": "held"},
        {"number": "3", "day": "2026-11-03", **FOUND, "outcome": "reported"},
    ],
}


def test_days_that_differ_come_first_and_say_in_what() -> None:
    rows = tables.days(REPORT)
    assert [(row["day"], row["differs"]) for row in rows] == [
        ("2026-11-03", "orders and sums"), ("2026-11-01", "sums"), ("2026-11-02", ""),
    ]  # fmt: skip
    assert rows[0]["orders in RO App"] == 1 and rows[0]["sum in shop"] == "20.00"


def test_sums_stand_by_currency() -> None:
    assert [(row["currency"], row["differs"], row["sum in ledger"]) for row in tables.currencies(REPORT)] == [
        ("UAH", "sums", "20.00"), ("unknown", "", "20.00"),
    ]  # fmt: skip


def test_what_a_person_has_to_do_comes_before_what_was_done() -> None:
    rows = tables.findings(REPORT)
    assert [(row["order"], row["what was done"]) for row in rows] == [
        ("3", "nothing, only told"), ("2", "held for a person"), ("1", "put right"),
    ]  # fmt: skip
    assert rows[0]["what to do"] == FOUND["to_do"]
    assert rows[0]["RO App's id"] == "77"


def test_the_terminal_shows_the_same_without_even_days() -> None:
    screen = Console(width=200)
    with screen.capture() as shown:
        for part in comparison_tables(REPORT):  # type: ignore[attr-defined]
            screen.print(part)
    text = shown.get()
    assert "1 of 3 days are alike" in text
    assert text.index("Sums by currency") < text.index("Days that differ") < text.index("Orders that differ")
    assert "2026-11-02" not in text and "orders and sums" in text and "put right" in text
