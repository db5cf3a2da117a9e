"""The tables of a run in Markdown, for its artifacts in Prefect's UI."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cartum_roapp.markdown import Markup, escaped, link, markdown_table
from cartum_roapp.report.tables import SHOWN, Part, Table, text
from tasks.links import Links

#: The artifact with all orders of a run has at most this many rows.
ALL = 2000


def sections(parts: Iterable[Part], links: Links) -> list[str]:
    """Returns a section for each sentence and table. Orders lead to the shop's admin, as the notes of the order in RO
    App do, and to what happened to them; held records lead to where they are fixed."""
    return [section for part in parts for section in _section(part, links)]


def all_orders(parts: Iterable[Part]) -> list[dict[str, Any]]:
    """Returns the rows of a table of all orders, if the summary has no room for each; otherwise []."""
    tables = [one for one in parts if isinstance(one, Table) and one.of == "order"]
    if all(len(one.rows) <= SHOWN for one in tables):
        return []
    rows = [
        {"table": one.title, **dict(zip(one.columns, map(_plain, row), strict=True))}
        for one in tables
        for row in one.rows
    ]
    return rows[:ALL]


def all_orders_key(slug: str) -> str:
    """Returns the key of the artifact with that table."""
    return f"{slug}-orders"


def _section(part: Part, links: Links) -> list[str]:
    if isinstance(part, str):
        return [escaped(part)]
    columns, rows = _linked(part, links)
    shown = [f"### {escaped(part.title)}", markdown_table(columns, rows)]
    if (more := len(part.rows) - SHOWN) > 0:
        where = f"`{part.whole}`" if part.whole else f"the run's artifact {escaped(all_orders_key(links.slug))} has all"
        shown.append(f"… and {more} more: {where}")
    return shown


def _linked(table: Table, links: Links) -> tuple[Sequence[str], list[list[object]]]:
    rows = [[_cell(cell) for cell in row] for row in table.rows[:SHOWN]]
    if table.of == "order":
        stories = [links.order(str(row[0])) for row in rows]
        for row, story in zip(rows, stories, strict=True):
            row[0] = link(row[0], links.admin)
            row += [story] if story else []
        return [*table.columns, *(["more"] if any(stories) else [])], rows
    if table.of == "record" and links.held:
        return [*table.columns, "in the console"], [[*row, link("fix it", links.held)] for row in rows]
    return table.columns, rows


def _cell(cell: object) -> object:
    if isinstance(cell, list):
        return Markup("; ".join(link(one, one.address) if one.address else escaped(one) for one in cell))
    return "" if cell is None else cell


def _plain(cell: object) -> str:
    """Returns a cell without markup: the page's address where there is one."""
    return "; ".join(one.address or one.text for one in cell) if isinstance(cell, list) else text(cell)
