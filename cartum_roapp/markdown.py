"""Escapes foreign texts for the Markdown of Prefect's UI, so that they are shown literally."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from cartum_roapp.control import without_control

# Commands in our own messages stay code; there is no mark-up in code.
_CODE = re.compile(r"(?<!`)`(?!`)[^`|]+`(?!`)")
# The UI makes a link of each bare address, even if escaped, except in code.
_ADDRESS = re.compile(r"(?:[\w+.-]+://|www\.)[^\s`|]*", re.IGNORECASE)
_MARK = re.compile(r"[\\`*\[\]<|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|&(?=#?\w+;)")
# What would end an address in a link, or a cell of a table.
_IN_ADDRESS = str.maketrans({"(": "%28", ")": "%29", "|": "%7C", " ": "%20", "<": "%3C", ">": "%3E"})
# What makes a heading, list, quote or rule at the beginning of a line.
_FIRST = re.compile(r"^([0-9]*)(?=[.)](?:\s|$)|#{1,6}(?:\s|$)|[+-](?:[\s+-]|$)|[=>])")


class Markup(str):
    """Markdown that is shown as such. Whoever makes it has escaped what is foreign in it."""


def link(text: object, address: str) -> Markup:
    """Returns a link; `address` is ours, or percent-encoded."""
    return Markup(f"[{escaped(text)}]({address.translate(_IN_ADDRESS)})")


def escaped(text: object) -> str:
    """Returns the text on one line, so that it makes no image, link, HTML, heading, or end of a table cell. Code in
    single backticks stays code."""
    line = " ".join(without_control(str(text)).split())
    parts, end = [], 0
    for code in _CODE.finditer(line):
        parts += [_plain(line[end : code.start()]), code.group()]
        end = code.end()
    line = "".join([*parts, _plain(line[end:])])
    return _FIRST.sub(r"\1\\", line)


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Returns a table in Markdown. Its cells are `escaped`, except those that are `Markup`."""
    head, *body = [f"| {' | '.join(map(_cell, row))} |" for row in (columns, *rows)]
    return "\n".join([head, f"|{'---|' * len(columns)}", *body])


def _cell(value: object) -> str:
    return value if isinstance(value, Markup) else escaped(value)


def _plain(text: str) -> str:
    parts, end = [], 0
    for address in _ADDRESS.finditer(text):
        parts += [_MARK.sub(_escape, text[end : address.start()]), f"`{address.group()}`"]
        end = address.end()
    return "".join([*parts, _MARK.sub(_escape, text[end:])])


def _escape(mark: re.Match[str]) -> str:
    return f"\\{mark.group()}"
