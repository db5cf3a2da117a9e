"""What a run did, or a dry run would do, as sentences and tables: the terminal, Prefect's UI and the console show the
same ones.

Each function takes the document that the run returns. No buyer's data is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any

from cartum_roapp.backfill_words import summary, what
from cartum_roapp.held_words import WHAT_WAITS
from cartum_roapp.links import order_name, roapp_name
from cartum_roapp.report.facts import span
from cartum_roapp.sync import sentence
from cartum_roapp.sync.digest import TOUCHED

Document = Mapping[str, Any]
Row = tuple[object, ...]

#: Where a table is cut, it has this many rows.
SHOWN = 50

_SIDES = {"shop": "shop", "ledger": "ledger", "roapp": "RO App"}
#: What was done about a difference, by its outcome.
_DONE = {
    "reported": "only reported",
    "repaired": "put right",
    "held": "held for a person",
    "waiting": "on its way to RO App",
}


@dataclass(frozen=True)
class Page:
    """A text, and the page that it leads to; None where that is not known."""

    text: str
    address: str | None = None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Table:
    """A cell is a text, a number, None, or a list of `Page`. `of`: what the first column names, "order" (its number),
    "record", or "" for anything else. `whole`: the command that shows all rows; "" where only the run's result has
    them."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Row]
    of: str = ""
    whole: str = ""


Part = Table | str


def text(cell: object) -> str:
    """Returns a cell as plain text."""
    return "; ".join(map(str, cell)) if isinstance(cell, list) else "" if cell is None else str(cell)


def of_run(result: Document) -> list[Part]:
    """Returns all that a run did: what it compared, replayed or sent again, the orders that it touched, what is held,
    and its counts."""
    parts = of_comparison(result) if "findings" in result else []
    parts += of_replay(result) if "records" in result else []
    parts += [_resent(result["resent"])] if "resent" in result else []
    return [
        *parts,
        *_touched(result),
        *_both_changed(result),
        *_held(result),
        _counts(result),
        *_absent(result),
    ]


def of_comparison(result: Document) -> list[Part]:
    """Returns the days that differ, the newest first; the orders that differ, those that wait for a person first; the
    sums by currency; how many days are alike; and which orders were compared."""
    uneven = [one for one in reversed(result["days"]) if _differs(one, "orders") or _differs(one, "sum")]
    slug, count = result["shop"], len(result["days"])
    days = [(one["day"], *_sides(one), one["waiting"] or None, one["held"] or None) for one in uneven]
    found = [
        (
            one["number"],
            one["day"] or "unknown",
            _difference(one),
            _in_roapp(one),
            one["to_do"],
            _DONE[one["outcome"]],
        )
        for one in urgent_first(result["findings"])
    ]
    sums = [(one["currency"] or "unknown", *_sides(one)) for one in result["currencies"]]
    columns = ("order", "placed on", "what differs", "in RO App", "what to do", "what was done")
    again = f"cartum-roapp reconcile {slug}"
    return [
        *_table("Days that differ", ("day", "orders", "sum", "waiting", "held"), days, whole=again),
        *_table("Orders that differ", columns, found, of="order"),
        *_table("Sums by currency", ("currency", "orders", "sum"), sums),
        f"{count - len(days)} of {count} days agree in shop, ledger and RO App. {result.get('compared', '')}".strip(),
    ]


def urgent_first(findings: Iterable[Document]) -> list[Document]:
    """Returns the orders that differ: first those that a person has to look at, then the newest."""
    newest = sorted(findings, key=lambda one: one["day"], reverse=True)
    return sorted(newest, key=lambda one: one["outcome"] in ("repaired", "waiting"))


def of_replay(result: Document) -> list[Part]:
    """Returns what became of each held record that was tried again, or which ones would be."""
    records = result["records"]
    if not records:
        return [f"Nothing to replay: `cartum-roapp held list {result['shop']}` shows what is held."]
    gone = [one.get("outcome") == "delivered" for one in records]
    rows = [
        (
            f"{one['entity']} {one['id']}",
            one["code"],
            one.get("outcome"),
            *(() if done else (one["message"], one["fix"])),
        )
        for one, done in zip(records, gone, strict=True)
    ]
    title = "Would be replayed (nothing was sent)" if result["dry_run"] else "Replayed"
    return _table(title, ("record", "reason", "outcome", "why", "what to do"), rows, of="record")


def of_plan(document: Document) -> list[Part]:
    """Returns what a real run would do with each order, those with nothing to do last; what would be held; which named
    numbers the shop lacks; and what it costs."""
    if not document["orders"] and not document["would_hold"] and not document["not_in_shop"]:
        return ["The shop has no such orders."]
    orders = sorted(document["orders"], key=lambda one: one["action"] == "nothing")
    rows = [
        (one["number"], one["action"], what(one), one["shop_status_name"] or one["shop_status"], one["total"])
        for one in orders
    ]
    held = [(f"{one['entity']} {one['id']}", one["code"], one["message"], one["fix"]) for one in document["would_hold"]]
    again = f"cartum-roapp backfill {document['shop']} --dry-run"
    columns = ("order", "would", "what", "status in the shop", "total")
    return [
        *_table("What a real run would do (nothing was sent)", columns, rows, of="order", whole=again),
        *_table("Would be held", ("record", "reason", "why", "what to do"), held, of="record", whole=again),
        *_absent(document),
        summary(document),
    ]


def _absent(result: Document) -> list[Part]:
    """Returns which numbers that were named the shop lacks."""
    missing = result.get("not_in_shop")
    return [f"The shop does not have: {', '.join(missing)}."] if missing else []


def _table(title: str, columns: Sequence[str], rows: Sequence[Row], of: str = "", whole: str = "") -> list[Part]:
    """Returns the table without columns that are empty; none where there are no rows. A row may end early."""
    if not rows:
        return []
    filled = [(*row, *[None] * (len(columns) - len(row))) for row in rows]
    kept = [n for n in range(len(columns)) if any(row[n] not in (None, "", []) for row in filled)]
    return [Table(title, [columns[n] for n in kept], [tuple(row[n] for n in kept) for row in filled], of, whole)]


def _touched(result: Document) -> list[Part]:
    parts: list[Part] = []
    for kind, group in groupby(result.get("touched", ()), key=lambda one: one["what"]):
        rows = [(one["number"], "; ".join(one["changes"]), [Page(roapp_name(one), one["roapp_page"])]) for one in group]
        parts += _table(f"{len(rows)} {kind}", ("order", TOUCHED[kind], "in RO App"), rows, of="order")
    return parts


def _both_changed(result: Document) -> list[Part]:
    rows = [(one["number"], one["shop_status"], one["roapp_status"]) for one in result.get("both_changed", ())]
    columns = ("order", "status in the shop", "status in RO App")
    return _table("Changed on both sides; the shop's status was taken", columns, rows, of="order")


def _resent(orders: Iterable[Document]) -> Table:
    rows = [
        (
            one["number"],
            one["outcome"],
            [Page(roapp_name(one))],
            "; ".join(one["written"]) or "nothing",
            " ".join(filter(None, (one["message"], one["fix"]))),
        )
        for one in sorted(orders, key=lambda one: (one["outcome"] == "delivered", not one["written"]))
    ]
    columns = ("order", "outcome", "in RO App", "written there", "why, and what to do")
    return Table("Sent again", columns, rows, of="order")


def _held(result: Document) -> list[Part]:
    records, dismissed, slug = result.get("held_records", ()), result.get("dismissed"), result["shop"]
    rows = [
        (
            f"{one['entity']} {one['id']}{' (new)' if one['news'] else ''}",
            f"{one['code']}: {one['message']}",
            one["fix"],
        )
        for one in records
    ]
    whole = f"cartum-roapp held list {slug}"
    title = sentence.of_held(one["code"] for one in records)
    parts = _table(title, ("record", "why", "what to do"), rows, of="record", whole=whole)
    parts += [WHAT_WAITS, f"To leave a record as it is: `cartum-roapp held dismiss {slug} ID`"] if rows else []
    return [*parts, f"{dismissed} dismissed: `{whole} --dismissed`"] if dismissed else parts


def _counts(result: Document) -> Table:
    calls, lag = result["calls_by_kind"], result.get("lag_seconds")
    rows = [
        ("seen", result["seen"]),
        ("new", result["new"]),
        ("changed", result["changed"]),
        ("unchanged", result["unchanged"]),
        ("delivered", result["delivered"]),
        ("set in the shop", result.get("set_in_shop") or None),
        ("held", result["held"]),
        ("still waiting", result.get("waiting")),
        ("not compared in RO App", result.get("unchecked") or None),
        ("calls to the shop", calls["cartum"]),
        ("calls to RO App, reading", calls["roapp_reads"]),
        ("calls to RO App, writing", calls["roapp_writes"]),
        ("seconds", result["seconds"]),
        ("lag behind the shop", None if lag is None else span(timedelta(seconds=lag))),
    ]
    return Table("Counts", ("", ""), [row for row in rows if row[1] is not None])


def _sides(one: Document) -> tuple[str, str]:
    return _cell(one, "orders"), _cell(one, "sum")


def _cell(one: Document, name: str) -> str:
    """Returns what all sides have, or what each has: "shop 2, ledger 2, RO App 1"."""
    each = {
        words: "unknown" if one[f"{side}_{name}"] is None else one[f"{side}_{name}"] for side, words in _SIDES.items()
    }
    return ", ".join(f"{words} {value}" for words, value in each.items()) if _differs(one, name) else str(each["shop"])


def _differs(one: Document, name: str) -> bool:
    return len({one[f"{side}_{name}"] for side in _SIDES}) > 1


def _difference(finding: Document) -> str:
    """Returns the kind of difference, with the sums where those that are known differ."""
    sums = {words: total for side, words in _SIDES.items() if (total := finding[f"{side}_sum"]) is not None}
    shown = ", ".join(f"{words} {total}" for words, total in sums.items()) if len(set(sums.values())) > 1 else ""
    return f"{finding['what']}: {shown}" if shown else str(finding["what"])


def _in_roapp(finding: Document) -> list[Page]:
    named = zip(finding["roapp_ids"], finding["roapp_numbers"], finding["roapp_pages"], strict=True)
    return [Page(order_name(ro_id, number), page) for ro_id, number, page in named]
