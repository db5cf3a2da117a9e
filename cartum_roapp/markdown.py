"""What others wrote, in the Markdown of Prefect's UI: shown as it is, never obeyed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from cartum_roapp.control import without_control

# A command in our own messages stays code: nothing is read as mark-up in there.
_CODE = re.compile(r"(?<!`)`(?!`)[^`|]+`(?!`)")
# The UI makes a link of a bare address, escaped or not; of code it makes none.
_ADDRESS = re.compile(r"(?:[\w+.-]+://|www\.)[^\s`|]*", re.IGNORECASE)
_MARK = re.compile(r"[\\`*\[\]<|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|&(?=#?\w+;)")
# A heading, a list, a quote, a rule: where the text begins a line.
_FIRST = re.compile(r"^([0-9]*)(?=[.)](?:\s|$)|#{1,6}(?:\s|$)|[+-](?:[\s+-]|$)|[=>])")


def escaped(text: object) -> str:
    """The text on one line, without images, links, HTML, headings or the end of a table's cell. Code in single
    backticks stays code."""
    line = " ".join(without_control(str(text)).split())
    parts, end = [], 0
    for code in _CODE.finditer(line):
        parts += [_plain(line[end : code.start()]), code.group()]
        end = code.end()
    line = "".join([*parts, _plain(line[end:])])
    return _FIRST.sub(r"\1\\", line)


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table whose cells are `escaped`."""
    head, *body = [f"| {' | '.join(map(escaped, row))} |" for row in (columns, *rows)]
    return "\n".join([head, f"|{'---|' * len(columns)}", *body])


def _plain(text: str) -> str:
    parts, end = [], 0
    for address in _ADDRESS.finditer(text):
        parts += [_MARK.sub(_escape, text[end : address.start()]), f"`{address.group()}`"]
        end = address.end()
    return "".join([*parts, _MARK.sub(_escape, text[end:])])


def _escape(mark: re.Match[str]) -> str:
    return f"\\{mark.group()}"
