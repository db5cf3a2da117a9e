"""What a person reads first in the tables of a reconciliation."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from cartum_roapp.cli.outcomes import comparison_tables
from cartum_roapp.reconciliation import tables

EVEN = {"shop_orders": 2, "shop_sum": "20.00", "ledger_orders": 2, "ledger_sum": "20.00", "roapp_orders": 2,
        "roapp_sum": "20.00", "waiting": 0, "held": 0}  # fmt: skip
FOUND = {"what": "sum-differs-in-roapp", "shop_sum": "10.00", "ledger_sum": "10.00", "roapp_sum": "9.00",
         "roapp_ids": [77], "roapp_numbers": ["A77"], "to_do": "bring its lines to what the shop has"}  # fmt: skip
REPORT: dict[str, Any] = {
    "shop": "mavka",
    "run": "reconcile",
    "seen": 2,
    "held": 1,
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


def test_of_a_day_that_differs_it_is_said_what_each_side_has() -> None:
    assert [(row["day"], row["orders"], row["sum"]) for row in tables.days(REPORT)] == [
        ("2026-11-03", "shop 2, ledger 2, RO App 1", "shop 20.00, ledger 20.00, RO App 10.00"),
        ("2026-11-01", "2", "shop 20.00, ledger 20.00, RO App 19.00"),
    ]  # fmt: skip
    assert tables.alike(REPORT) == "1 of 3 days are alike in shop, ledger and RO App."


def test_sums_stand_by_currency() -> None:
    assert [(row["currency"], row["orders"], row["sum"]) for row in tables.currencies(REPORT)] == [
        ("UAH", "2", "shop 20.00, ledger 20.00, RO App unknown"), ("unknown", "2", "20.00"),
    ]  # fmt: skip


def test_what_a_person_has_to_do_comes_before_what_was_done() -> None:
    rows = tables.findings(REPORT)
    assert [(row["order"], row["what was done"]) for row in rows] == [
        ("3", "only reported"), ("2", "held for a person"), ("1", "put right"),
    ]  # fmt: skip
    assert rows[0]["what to do"] == FOUND["to_do"]
    assert rows[0]["in RO App"] == "no. A77, id 77"
    assert rows[0]["what differs"] == "sum-differs-in-roapp: shop 10.00, ledger 10.00, RO App 9.00"


@pytest.mark.parametrize("width", [200, 80])
def test_the_terminal_shows_the_same_without_even_days(width: int) -> None:
    screen = Console(width=width)
    with screen.capture() as shown:
        for part in comparison_tables(REPORT):  # type: ignore[attr-defined]
            screen.print(part)
    text = shown.get()
    assert "1 of 3 days are alike" in text
    assert text.index("Sums by currency") < text.index("Days that differ") < text.index("Orders that differ")
    assert "2026-11-02" not in text and "shop 2, ledger 2, RO App 1" in text and "put right" in text
    assert text.splitlines()[-1].rstrip() == "mavka: 2 orders, 3 differences: 1 repaired, 1 held, 1 reported; 1 held."
