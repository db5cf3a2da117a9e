"""A shop's report as one file that needs no network."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }}
table {{ border-collapse: collapse; margin: 1em 0 }}
td, th {{ border-bottom: 1px solid #ccc; padding: .2em 1em .2em 0; text-align: left; vertical-align: top }}
img {{ max-width: 100% }}
</style>
<h1>{title}</h1>
{parts}
"""


def page(title: str, facts: Iterable[tuple[str, str]], held: Sequence[tuple[str, int]], png: bytes) -> str:
    """Returns the document. `held`: code and number of records."""
    picture = b64encode(png).decode()
    parts = [
        _table(("", ""), facts),
        f'<img alt="Orders, lag and calls of a month" src="data:image/png;base64,{picture}">',
    ]
    if held:
        parts += ["<h2>Held, by reason</h2>", _table(("reason", "records"), held)]
    return _PAGE.format(title=escape(title), parts="\n".join(parts))


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in columns) if any(columns) else ""
    body = "\n".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>\n{f'<tr>{head}</tr>' if head else ''}\n{body}\n</table>"
