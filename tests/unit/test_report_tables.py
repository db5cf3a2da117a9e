"""What a run did, as the terminal and Prefect's UI show it."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from cartum_roapp.cli.outcomes import replay_parts, run_parts
from cartum_roapp.report.tables import Part, Table, of_comparison, of_replay, of_run
from tasks.links import Links
from tasks.sections import all_orders, sections

ADMIN, CONSOLE = "https://shop.example/adminLegacy/", "https://console.example/at/mavka"
LINKS = Links("mavka", ADMIN, CONSOLE)
NO_CONSOLE = Links("mavka", ADMIN)
PAGE = "https://web.roapp.io/orders/table/7"
RUN: dict[str, Any] = {
    "shop": "mavka", "run": "incremental-sync", "seen": 2, "new": 0, "changed": 0, "unchanged": 2, "delivered": 0,
    "held": 0, "calls": 3, "calls_by_kind": {"cartum": 1, "roapp_reads": 2, "roapp_writes": 0}, "seconds": 1.0,
    "warnings": [],
}  # fmt: skip
EVEN = {"shop_orders": 2, "shop_sum": "20.00", "ledger_orders": 2, "ledger_sum": "20.00", "roapp_orders": 2,
        "roapp_sum": "20.00", "waiting": 0, "held": 0}  # fmt: skip


def records(count: int, **more: Any) -> list[dict[str, Any]]:
    one = {"entity": "order", "code": "refused", "fix": "Mend it.", **more}
    return [one | {"id": str(n), "number": str(n), "message": f"a|b {n}", "news": n == 0} for n in range(count)]


def orders(count: int, page: str | None = None) -> list[dict[str, Any]]:
    known = {"what": "changed", "roapp_id": 7, "roapp_number": "A-7", "roapp_page": page}
    return [{"number": str(n), "changes": ["total: 1.00 → 2.00", "a|b"], **known} for n in range(count)]


def findings(count: int, day: str = "2026-11-01", outcome: str = "held") -> list[dict[str, Any]]:
    one = {"day": day, "what": "sum-differs-in-roapp", "shop_sum": "10.00", "ledger_sum": "10.00", "roapp_sum": "9.00",
           "roapp_ids": [7], "roapp_numbers": ["A7"], "roapp_pages": [PAGE], "to_do": "bring its lines to it",
           "outcome": outcome}  # fmt: skip
    return [one | {"number": str(n)} for n in range(count)]


def comparison(*found: dict[str, Any]) -> dict[str, Any]:
    ends = [one["outcome"] for one in found]
    return {
        **RUN,
        "run": "reconcile",
        "held": 1,
        "days": [
            {"day": "2026-11-01", **EVEN, "roapp_sum": "19.00"},
            {"day": "2026-11-02", **EVEN},
            {"day": "2026-11-03", **EVEN, "roapp_orders": 1, "roapp_sum": "10.00", "waiting": 1},
        ],
        "currencies": [{"currency": "UAH", **EVEN, "roapp_sum": None}, {"currency": "", **EVEN}],
        "findings": list(found),
        "outcomes": {end: ends.count(end) for end in ends},
    }


def markdown(parts: list[Part], links: Links = NO_CONSOLE) -> str:
    return "\n\n".join(sections(parts, links))


def table(parts: list[Part], title: str) -> list[dict[str, object]]:
    (found,) = [one for one in parts if isinstance(one, Table) and one.title == title]
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


def printed(parts: list[object], width: int = 200) -> str:
    screen = Console(width=width)
    with screen.capture() as shown:
        for part in parts:
            screen.print(part)
    return shown.get()


def test_at_most_fifty_are_listed_and_it_is_said_where_the_rest_is() -> None:
    result = {**RUN, "touched": orders(51), "held_records": records(53)}
    text = markdown(of_run(result))
    assert "### 51 changed" in text and "[49]" in text and "[50]" not in text
    assert "… and 1 more: the run's artifact mavka-orders has all" in text
    assert "| order 49 |" in text and "| order 50 |" not in text
    assert "… and 3 more: `cartum-roapp held list mavka`" in text
    assert [one["order"] for one in all_orders(of_run(result))] == [str(n) for n in range(51)]
    assert all_orders(of_run({**RUN, "touched": orders(50)})) == []
    text = printed(run_parts(result))
    assert "… and 1 more: `--json` has all." in text and "… and 3 more: `cartum-roapp held list mavka` has all." in text
    assert "more" not in printed(run_parts({**RUN, "touched": orders(50)}))


def test_an_order_leads_to_the_shop_and_to_ro_app_where_its_page_is_known() -> None:
    row = f"| [0]({ADMIN}) | total: 1.00 → 2.00; a\\|b | [no. A-7, id 7]({PAGE}) |"
    assert row in markdown(of_run({**RUN, "touched": orders(1, PAGE)})).splitlines()
    result = {**RUN, "touched": orders(1)}
    assert "| no. A-7, id 7 |\n" in markdown(of_run(result))
    assert f"| no. A-7, id 7 | [what happened]({CONSOLE}/shops/mavka/orders/0) |" in markdown(of_run(result), LINKS)


def test_what_a_comparison_found_begins_with_the_days_and_leads_to_the_orders() -> None:
    text = markdown(of_comparison(comparison(*findings(51))), LINKS)
    days, found = text.index("### Days that differ"), text.index("### Orders that differ")
    assert days < found < text.index("### Sums by currency")
    assert "| 2026-11-03 | shop 2, ledger 2, RO App 1 | shop 20.00, ledger 20.00, RO App 10.00 | 1 |" in text
    row = next(line for line in text.splitlines() if line.startswith("| [3]("))
    assert row == (
        f"| [3]({ADMIN}) | 2026-11-01 | sum-differs-in-roapp: shop 10.00, ledger 10.00, RO App 9.00 "
        f"| [no. A7, id 7]({PAGE}) | bring its lines to it | held for a person "
        f"| [what happened]({CONSOLE}/shops/mavka/orders/3) |"
    )
    assert text.endswith("1 of 3 days agree in shop, ledger and RO App.")


def test_where_nothing_differs_there_is_no_table_of_it() -> None:
    text = markdown(of_comparison({**comparison(), "days": []}))
    assert "that differ" not in text and "0 of 0 days agree" in text


def test_of_a_day_and_a_currency_it_is_said_what_each_side_has() -> None:
    parts = of_comparison(comparison())
    assert [(row["day"], row["orders"], row["sum"]) for row in table(parts, "Days that differ")] == [
        ("2026-11-03", "shop 2, ledger 2, RO App 1", "shop 20.00, ledger 20.00, RO App 10.00"),
        ("2026-11-01", "2", "shop 20.00, ledger 20.00, RO App 19.00"),
    ]  # fmt: skip
    assert [(row["currency"], row["orders"], row["sum"]) for row in table(parts, "Sums by currency")] == [
        ("UAH", "2", "shop 20.00, ledger 20.00, RO App unknown"), ("unknown", "2", "20.00"),
    ]  # fmt: skip


def test_what_a_person_has_to_do_comes_before_what_was_done() -> None:
    done, waits = findings(1, outcome="repaired"), findings(1, outcome="waiting", day="2026-11-02")
    ours = findings(1, day="2026-11-03", outcome="reported")
    rows = table(of_comparison(comparison(*done, *waits, *findings(1), *ours)), "Orders that differ")
    assert [(row["placed on"], row["what was done"]) for row in rows] == [
        ("2026-11-03", "only reported"), ("2026-11-01", "held for a person"),
        ("2026-11-02", "on its way to RO App"), ("2026-11-01", "put right"),
    ]  # fmt: skip


@pytest.mark.parametrize("width", [200, 80])
def test_the_terminal_shows_a_comparison_without_even_days(width: int) -> None:
    text = printed(run_parts(comparison(*findings(1), *findings(1, outcome="repaired"))), width)
    assert "1 of 3 days agree" in text
    assert text.index("Days that differ") < text.index("Orders that differ") < text.index("Sums by currency")
    assert "2026-11-02" not in text and "shop 2, ledger 2, RO App 1" in text and "put right" in text
    assert text.splitlines()[-1].rstrip() == "mavka: 2 orders, 2 differences: 1 held, 1 repaired; 1 held."


def test_a_held_record_leads_to_the_consoles_page_that_fixes_it() -> None:
    result = {**RUN, "held_records": records(2, code="status-unmatched"), "dismissed": 4}
    text = markdown(of_run(result), LINKS)
    assert "### 2 held: 2 status-unmatched" in text
    assert "| record | why | what to do | in the console |" in text
    fixed = f"| Mend it. | [fix it]({CONSOLE}/shops/mavka/held) |"
    assert f"| order 0 (new) | status-unmatched: a\\|b 0 {fixed}" in text and "| order 1 |" in text
    assert "A held order or row waits with all its changes" in text and "held dismiss mavka ID" in text
    assert "4 dismissed: `cartum-roapp held list mavka --dismissed`" in text


def test_without_a_console_there_are_no_links_to_it() -> None:
    text = markdown(of_run({**RUN, "held_records": records(1)}))
    assert "| record | why | what to do |\n" in text and "](" not in text
    assert "held" not in markdown(of_run({**RUN, "held_records": []})).replace("| held | 0 |", "")
    assert (NO_CONSOLE.shop, LINKS.shop) == (None, f"[How this shop is doing]({CONSOLE}/shops/mavka)")


def test_a_delivered_record_of_a_replay_has_no_reason_left() -> None:
    ended = [*records(1, outcome="delivered"), *records(1, outcome="held")]
    (row, other) = table(of_replay({**RUN, "dry_run": False, "records": ended}), "Replayed")
    assert (row["outcome"], row["why"], row["what to do"]) == ("delivered", None, None)
    assert (other["outcome"], other["why"], other["what to do"]) == ("held", "a|b 0", "Mend it.")
    shown = printed(replay_parts({**RUN, "dry_run": True, "records": records(1)}))
    assert "Would be replayed (nothing was sent)" in shown and "outcome" not in shown
    assert "Nothing to replay" in printed(replay_parts({**RUN, "dry_run": True, "records": []}))
