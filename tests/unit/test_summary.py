"""The tables of a run's summary."""

from __future__ import annotations

from typing import Any

from tasks.links import Links
from tasks.sections import (
    all_findings,
    all_orders,
    comparison_section,
    held_section,
    record_table,
    touched_section,
)

ADMIN, CONSOLE = "https://shop.example/adminLegacy/", "https://console.example/at/mavka"
LINKS = Links("mavka", ADMIN, CONSOLE)
NO_CONSOLE = Links("mavka", ADMIN)


def records(count: int, code: str = "refused") -> list[dict[str, Any]]:
    return [
        {
            "entity": "order",
            "id": str(n),
            "number": str(n),
            "code": code,
            "message": f"a|b {n}",
            "fix": "Mend it.",
            "news": n == 0,
        }
        for n in range(count)
    ]


def orders(count: int, what: str = "changed", page: str | None = None) -> list[dict[str, Any]]:
    known = {"roapp_id": 7, "roapp_number": "A-7", "roapp_page": page}
    return [{"number": str(n), "what": what, "changes": ["total: 1.00 → 2.00", "a|b"], **known} for n in range(count)]


def test_at_most_fifty_are_listed_and_it_is_said_where_the_rest_is() -> None:
    text = record_table(records(53), "`cartum-roapp held list shop`")
    assert text.startswith("| id | entity | code | message | fix |")
    assert "| 0 | order | refused | a\\|b 0 | Mend it. |" in text
    assert "| 49 |" in text and "| 50 |" not in text
    assert text.endswith("… and 3 more: `cartum-roapp held list shop`")
    assert "more" not in record_table(records(50))
    text = "\n".join(touched_section(orders(51), NO_CONSOLE))
    assert "### 51 changed" in text and "[49]" in text and "[50]" not in text and "… and 1 more: " in text
    assert len(all_orders(orders(51))) == 51 and all_orders(orders(50)) == []


def test_an_order_leads_to_the_shop_and_to_ro_app_where_its_page_is_known() -> None:
    page = "https://web.roapp.io/orders/table/7"
    (_, table) = touched_section(orders(1, page=page), NO_CONSOLE)
    row = f"| [0]({ADMIN}) | total: 1.00 → 2.00; a\\|b | [no. A-7, id 7]({page}) |"
    assert table.splitlines()[-1] == row
    (_, table) = touched_section(orders(1), NO_CONSOLE)
    assert table.endswith("| no. A-7, id 7 |")
    (_, table) = touched_section(orders(1), LINKS)
    assert table.endswith(f"| no. A-7, id 7 | [what happened]({CONSOLE}/shops/mavka/orders/0) |")


def finding(number: int) -> dict[str, Any]:
    sums = {"shop_sum": "10.00", "ledger_sum": "10.00", "roapp_sum": "9.00"}
    told = {
        "what": "sum-differs-in-roapp",
        "to_do": "bring its lines to it",
        "outcome": "held",
        "roapp_ids": [7],
        "roapp_numbers": ["A7"],
    }
    return {"number": str(number), "day": "2026-11-01", **sums, **told}


def report(findings: int) -> dict[str, Any]:
    even = {f"{side}_{what}": value for side in ("shop", "ledger") for what, value in (("orders", 2), ("sum", "20.00"))}
    uneven = {**even, "roapp_orders": 1, "roapp_sum": "10.00", "waiting": 1, "held": 0}
    days = [{"day": "2026-11-01", **uneven}] if findings else []
    return {
        "days": days,
        "currencies": [{"currency": "UAH", **uneven}],
        "findings": [finding(n) for n in range(findings)],
    }


def test_what_a_reconciliation_found_begins_with_the_days_and_leads_to_the_orders() -> None:
    text = "\n\n".join(comparison_section(report(51), LINKS, "https://api.roapp.io/v2"))
    days, orders = text.index("### Days that differ"), text.index("### Orders that differ")
    assert days < orders < text.index("### Sums by currency")
    assert "| 2026-11-01 | shop 2, ledger 2, RO App 1 | shop 20.00, ledger 20.00, RO App 10.00 | 1 |" in text
    row = next(line for line in text.splitlines() if line.startswith("| [3]("))
    page, story = "https://web.roapp.io/orders/table/7", f"{CONSOLE}/shops/mavka/orders/3"
    assert row == (
        f"| [3]({ADMIN}) | 2026-11-01 | sum-differs-in-roapp: shop 10.00, ledger 10.00, RO App 9.00 "
        f"| [no. A7, id 7]({page}) | bring its lines to it | held for a person | [what happened]({story}) |"
    )
    assert "[49](" in text and "[50](" not in text and "… and 1 more: the run's artifact mavka-findings has all" in text
    assert text.endswith("0 of 1 days are alike in shop, ledger and RO App.")
    assert len(all_findings(report(51))) == 51 and all_findings(report(50)) == []


def test_where_nothing_differs_there_is_no_table_of_it() -> None:
    text = "\n\n".join(comparison_section(report(0), NO_CONSOLE, "https://api.roapp.io/v2"))
    assert "that differ" not in text and "0 of 0 days are alike" in text


def test_a_held_record_leads_to_the_consoles_page_that_fixes_it() -> None:
    title, table, waits, leave, dismissed = held_section(records(2, "status-unmatched"), LINKS, dismissed=4)
    assert title == "### 2 held: 2 status-unmatched"
    assert table.splitlines()[0].endswith("| what to do | in the console |")
    assert table.splitlines()[2].endswith(f"| Mend it. | [fix it]({CONSOLE}/shops/mavka/held) |")
    assert "order 0 (new)" in table and "order 1 |" in table
    assert waits.startswith("An order or row that is held waits with all its changes")
    assert "held dismiss mavka ID" in leave
    assert dismissed.startswith("4 dismissed: ")


def test_without_a_console_there_are_no_links_to_it() -> None:
    _, table, *_ = parts = held_section(records(1), NO_CONSOLE, dismissed=0)
    assert table.splitlines()[0].endswith("| what to do |") and table.splitlines()[2].endswith("| Mend it. |")
    assert "](" not in "\n".join(parts)
    assert held_section([], NO_CONSOLE, dismissed=0) == []
    assert (NO_CONSOLE.shop, LINKS.shop) == (None, f"[How this shop is doing]({CONSOLE}/shops/mavka)")
