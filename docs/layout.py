"""Paragraphs, tables and links of the pages."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping

from cartum_roapp.markdown import Markup, markdown_table


def prose(text: str) -> str:
    """Returns the paragraph in lines as long as those of the other pages."""
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def table(columns: tuple[str, ...], rows: Iterable[Iterable[object]]) -> str:
    """Returns a table of cells that are Markdown already."""
    return markdown_table(columns, ([Markup(str(cell).replace("|", r"\|")) for cell in row] for row in rows))


def links(anchors: Mapping[str, str]) -> str:
    """Returns links to headings of the same page, as one line; `anchors` by what is shown."""
    return " · ".join(f"[{name}](#{anchor})" for name, anchor in anchors.items())


def anchor(heading: str) -> str:
    """Returns the anchor of a heading of words and underscores."""
    return heading.lower().replace(" ", "-")
