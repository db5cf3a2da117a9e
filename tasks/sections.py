"""The tables of a run's summary: what differs, the orders that it touched, and the records that are held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from cartum_roapp.held_words import WHAT_WAITS
from cartum_roapp.links import order_name, roapp_name, roapp_order
from cartum_roapp.markdown import Markup, escaped, link, markdown_table
from cartum_roapp.reconciliation import tables
from cartum_roapp.sync import sentence
from cartum_roapp.sync.digest import TOUCHED
from tasks.links import Links

Document = dict[str, Any]

#: A table has at most this many rows; then it says where the rest is.
SHOWN = 50
#: The table of all orders has at most this many rows.
ALL = 2000


def comparison_section(report: Document, links: Links, base_url: str) -> list[str]:
    """Returns what a reconciliation found: the days that differ, the orders that differ, and the sums by currency.
    `base_url`: of the account."""
    parts = []
    if uneven := tables.days(report):
        parts += ["### Days that differ", _table(uneven[:SHOWN])]
        parts += _rest(len(uneven), f"`cartum-roapp reconcile {links.slug}`")
    if found := tables.findings(report, partial(_named, base_url)):
        rows = [_linked(row, links) for row in found[:SHOWN]]
        parts += ["### Orders that differ", _table(rows)]
        parts += _rest(len(found), f"the run's artifact {escaped(all_findings_key(links.slug))} has all")
    if sums := tables.currencies(report):
        parts += ["### Sums by currency", _table(sums)]
    return [*parts, tables.alike(report)]


def all_findings(report: Document) -> list[Document]:
    """Returns the rows of a table of all orders that differ, if the summary has no room for each; otherwise []."""
    found = tables.findings(report)
    return found[:ALL] if len(found) > SHOWN else []


def all_findings_key(slug: str) -> str:
    """Returns the key of the artifact with that table."""
    return f"{slug}-findings"


def touched_section(orders: Sequence[Document], links: Links) -> list[str]:
    """Returns a table for each kind of order that the run touched. Numbers lead to the shop's admin, as the notes of
    the order in RO App do."""
    parts = []
    for what, changes in TOUCHED.items():
        of_kind = [one for one in orders if one["what"] == what]
        if not of_kind:
            continue
        rows = [
            (link(one["number"], links.admin), "; ".join(one["changes"]), _in_roapp(one), *_more(one, links))
            for one in of_kind[:SHOWN]
        ]
        columns = ["order", changes, "in RO App", "more"][: len(rows[0])]
        parts += [f"### {len(of_kind)} {what}", markdown_table(columns, rows)]
        parts += _rest(len(of_kind), f"the run's artifact {escaped(all_orders_key(links.slug))} has all")
    return parts


def all_orders(orders: Sequence[Document]) -> list[Document]:
    """Returns the rows of a table of all of them, if the summary has no room for each; otherwise []."""
    most = max(Counter(one["what"] for one in orders).values(), default=0)
    if most <= SHOWN:
        return []
    return [
        {
            "order": one["number"],
            "what": one["what"],
            "changes": "; ".join(one["changes"]),
            "in RO App": one["roapp_page"] or roapp_name(one),
        }
        for one in orders[:ALL]
    ]


def all_orders_key(slug: str) -> str:
    """Returns the key of the artifact with that table."""
    return f"{slug}-orders"


def held_section(records: Sequence[Document], links: Links, dismissed: int) -> list[str]:
    """Returns the table of what is held, each record with its reason, fix and a link to where it is fixed; and how
    many were dismissed."""
    slug = links.slug
    parts: list[str] = []
    if records:
        rows = [_held(one, links) for one in records[:SHOWN]]
        columns = ("record", "why", "what to do", "in the console")[: len(rows[0])]
        parts = [
            f"### {escaped(sentence.of_held(one['code'] for one in records))}",
            markdown_table(columns, rows),
            *_rest(len(records), f"`cartum-roapp held list {slug}`"),
            WHAT_WAITS,
            f"Leave one as it is: `cartum-roapp held dismiss {slug} ID`",
        ]
    if dismissed:
        parts.append(f"{dismissed} dismissed: `cartum-roapp held list {slug} --dismissed`")
    return parts


def record_table(records: Sequence[Document], rest: str = "the run's result") -> str:
    """Returns a table of records that were replayed, or would be; `rest` says where those are that do not fit."""
    columns = [name for name in ("id", "entity", "code", "outcome", "message", "fix") if name in records[0]]
    text = markdown_table(columns, [[one[name] for name in columns] for one in records[:SHOWN]])
    return "\n\n".join([text, *_rest(len(records), rest)])


def _linked(row: Document, links: Links) -> Document:
    """Returns the row of an order that differs, with links to the shop and to what happened to it."""
    more = links.order(row["order"])
    return {**row, "order": link(row["order"], links.admin), "in RO App": Markup(row["in RO App"]), "more": more}


def _named(base_url: str, ro_id: int, number: str) -> Markup:
    """Returns RO App's order with a link to its page."""
    name, page = order_name(ro_id, number), roapp_order(base_url, ro_id)
    return link(name, page) if page else Markup(escaped(name))


def _table(rows: Sequence[Document]) -> str:
    """Returns a table of the rows, without empty columns."""
    names = tables.columns(rows)
    return markdown_table(names, [["" if row[name] is None else row[name] for name in names] for row in rows])


def _held(one: Document, links: Links) -> tuple[object, ...]:
    news = " (new)" if one["news"] else ""
    fixed = [link("fix it", links.held)] if links.held else []
    return f"{one['entity']} {one['id']}{news}", f"{one['code']}: {one['message']}", one["fix"], *fixed


def _in_roapp(one: Document) -> object:
    name = roapp_name(one)
    return link(name, one["roapp_page"]) if one["roapp_page"] else name


def _more(one: Document, links: Links) -> list[object]:
    story = links.order(one["number"])
    return [story] if story else []


def _rest(count: int, where: str) -> list[str]:
    return [f"… and {count - SHOWN} more: {where}"] if count > SHOWN else []
