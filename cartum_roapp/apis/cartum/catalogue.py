"""Reads products from catalog/export (cartum §5)."""

from __future__ import annotations

import html
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Any

# A row has up to 69 kB with its description, so a page of 100 stays small. Only articles of orders are asked for
# (cartum §5.1).
ARTICLES = ROWS = 100
FIELDS = ("title", "mod_title", "description", "gtin", "price", "currency", "article_for_display")

_ENTITY = re.compile(r"&#?[0-9A-Za-z]+;")

Row = dict[str, Any]
Fetch = Callable[[dict[str, Any]], Awaitable[list[Row] | None]]


class FilterIgnored(Exception):
    """The shop does not know the filter by article (before 3.21.1): it refused the call, or sent other rows."""


def article_of(row: Row) -> str:
    """Returns the row's article as one line, its entities decoded (cartum §6)."""
    value = row.get("article")
    return "" if value is None or isinstance(value, bool | list | dict) else one_line(str(value))


def one_line(article: str) -> str:
    """Returns the article with its entities decoded, each row of blanks as one."""
    # html.unescape alone reads "R&notes" as "R¬es": only what ends with a semicolon is an entity.
    return " ".join(_ENTITY.sub(lambda found: html.unescape(found.group()), article).split())


def compared(article: str) -> str:
    """Returns an article as it is compared: its letter case tells no two apart."""
    return one_line(article).casefold()


def lacking(articles: Iterable[str], found: Iterable[str]) -> list[str]:
    """Returns those of the articles that are not among the found ones, as one line."""
    there = set(map(compared, found))
    return [article for article in map(one_line, articles) if compared(article) not in there]


async def by_article(articles: Sequence[str], fetch: Fetch) -> dict[str, Row]:
    """Returns the rows of at most 100 articles, which are asked for as they are, as one line, and as HTML. Raises
    FilterIgnored at the first row that was not asked for."""
    wanted = set(map(one_line, articles))
    spelled = sorted({*articles, *wanted, *map(html.escape, wanted)})
    asked = set(map(compared, wanted))
    found: dict[str, Row] = {}
    offset = 0
    while lacking(wanted, found):
        rows = await fetch(
            {"expr": {"article": spelled}, "includedParams": list(FIELDS), "offset": offset, "limit": ROWS}
        )
        if rows is None:
            raise FilterIgnored
        fresh = [row for row in rows if article_of(row) not in found]
        if any(compared(article_of(row)) not in asked for row in fresh):
            raise FilterIgnored
        if not fresh:
            break
        found.update((article_of(row), row) for row in fresh)
        offset += len(rows)
    return found


async def from_whole(wanted: Collection[str], fetch: Fetch, tell: Callable[[Collection[str]], None]) -> dict[str, Row]:
    """Walks over the whole catalogue until all `wanted` articles are found. Returns their rows. `tell` hears of all
    articles that came so far, and may end the walk by what it raises."""
    asked = set(map(compared, wanted))
    found: dict[str, Row] = {}
    seen: set[str] = set()
    offset = 0
    while lacking(wanted, found):
        rows = await fetch({"includedParams": list(FIELDS), "offset": offset, "limit": ROWS}) or []
        articles = {article_of(row) for row in rows}
        if not articles - seen:
            break
        seen |= articles
        tell(seen)
        found.update((article_of(row), row) for row in rows if compared(article_of(row)) in asked)
        offset += len(rows)
    return found
