"""The tables of a run's summary."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from tasks.mending import Mending, run_form
from tasks.sections import (
    all_findings,
    all_orders,
    comparison_section,
    held_section,
    record_table,
    touched_section,
)

REPLAY, MATCH, STORY, DISMISS, CHOOSE = (UUID(int=number) for number in range(1, 6))
ADMIN = "https://shop.example/adminLegacy/"
MENDING = Mending("mavka", ADMIN, REPLAY, MATCH, STORY, DISMISS, CHOOSE)
NO_FORMS = Mending("mavka", ADMIN)


def records(count: int, code: str = "refused", unmatched: str = "") -> list[dict[str, Any]]:
    return [
        {
            "entity": "order",
            "id": str(n),
            "number": str(n),
            "code": code,
            "message": f"a|b {n}",
            "fix": "Mend it.",
            "news": n == 0,
            "unmatched": unmatched,
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
    text = "\n".join(touched_section(orders(51), NO_FORMS))
    assert "### 51 changed" in text and "[49]" in text and "[50]" not in text and "… and 1 more: " in text
    assert len(all_orders(orders(51))) == 51 and all_orders(orders(50)) == []


def test_an_order_leads_to_the_shop_and_to_ro_app_where_its_page_is_known() -> None:
    page = "https://web.roapp.io/orders/table/7"
    (_, table) = touched_section(orders(1, page=page), NO_FORMS)
    row = f"| [0]({ADMIN}) | total: 1.00 → 2.00; a\\|b | [no. A-7, id 7]({page}) |"
    assert table.splitlines()[-1] == row
    (_, table) = touched_section(orders(1), NO_FORMS)
    assert table.endswith("| no. A-7, id 7 |")
    (_, table) = touched_section(orders(1), MENDING)
    assert table.endswith(f"| no. A-7, id 7 | [what happened]({run_form(STORY, shop='mavka', number='0')}) |")


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
    text = "\n\n".join(comparison_section(report(51), MENDING, "https://api.roapp.io/v2", "/pictures/1.png"))
    days, orders = text.index("### Days that differ"), text.index("### Orders that differ")
    assert days < orders < text.index("### Sums by currency")
    assert "| 2026-11-01 | shop 2, ledger 2, RO App 1 | shop 20.00, ledger 20.00, RO App 10.00 | 1 |" in text
    row = next(line for line in text.splitlines() if line.startswith("| [3]("))
    page, story = "https://web.roapp.io/orders/table/7", run_form(STORY, shop="mavka", number="3")
    assert row == (
        f"| [3]({ADMIN}) | 2026-11-01 | sum-differs-in-roapp: shop 10.00, ledger 10.00, RO App 9.00 "
        f"| [no. A7, id 7]({page}) | bring its lines to it | held for a person | [what happened]({story}) |"
    )
    assert "[49](" in text and "[50](" not in text and "… and 1 more: the run's artifact mavka-findings has all" in text
    assert text.endswith("](/pictures/1.png)")
    assert len(all_findings(report(51))) == 51 and all_findings(report(50)) == []


def test_where_nothing_differs_there_is_no_table_of_it() -> None:
    text = "\n\n".join(comparison_section(report(0), NO_FORMS, "https://api.roapp.io/v2", None))
    assert "that differ" not in text and "![" not in text and "0 of 0 days are alike" in text


def test_a_held_record_leads_to_the_forms_that_mend_it() -> None:
    title, table, waits, rest, dismissed = held_section(
        records(2, "status-unmatched", "Нова (9)"), MENDING, dismissed=4
    )
    assert title == "### 2 held: 2 status-unmatched"
    replay = run_form(REPLAY, shop="mavka", ids=["0"], entity="order", dry_run=False)
    dismiss = run_form(DISMISS, shop="mavka", ids=["0"], entity="order")
    match, story = run_form(MATCH, shop="mavka", status="Нова (9)"), run_form(STORY, shop="mavka", number="0")
    assert table.splitlines()[2].endswith(
        f"| [match it]({match}), [try again]({replay}), [dismiss]({dismiss}), [what happened]({story}) |"
    )
    assert "order 0 (new)" in table and "order 1 |" in table
    assert waits.startswith("An order or row that is held waits with all its changes")
    assert rest == f"[Try all of them again]({run_form(REPLAY, shop='mavka', all_held=True, dry_run=False)})"
    assert dismissed.startswith("4 dismissed: ")
    address = urlsplit(replay)
    assert address.path == f"/v2/deployments/deployment/{REPLAY}/run"
    assert json.loads(parse_qs(address.query)["parameters"][0]) == {
        "shop": "mavka",
        "ids": ["0"],
        "entity": "order",
        "dry_run": False,
    }


def test_what_a_person_has_to_decide_has_a_form_of_its_own() -> None:
    def links(code: str) -> dict[str, dict[str, Any]]:
        (_, table, *_) = held_section(records(1, code), MENDING, dismissed=0)
        found = re.findall(r"\[([^]]+)\]\((\S+?)\)", table.splitlines()[2])
        return {name: json.loads(parse_qs(urlsplit(address).query)["parameters"][0]) for name, address in found}

    assert links("contact-ambiguous")["choose one"] == {"shop": "mavka", "kind": "contact", "which": "0"}
    assert links("product-ambiguous")["choose one"] == {"shop": "mavka", "kind": "product"}
    again = links("deleted-in-roapp")
    assert (again["make it again"]["make_again"], "make_again" in again["try again"]) == (True, False)
    assert links("refused").keys() == {"try again", "dismiss", "what happened"}


def test_without_the_shared_deployments_there_are_no_links() -> None:
    text = "\n".join(held_section(records(1), NO_FORMS, dismissed=0))
    assert "](" not in text and "held dismiss mavka ID" in text
    assert held_section([], NO_FORMS, dismissed=0) == []
