"""RO App's lists: their envelopes, and a walk that ends and misses no row (roapp §2)."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from cartum_roapp.apis.reply import Unreadable
from cartum_roapp.apis.roapp.values import whole

Raw = dict[str, Any]

#: How often a list is walked again if rows are missing.
REWALKS = 3
#: Of a long walk so many pages are one line of the log.
LOGGED_EVERY = 10

log = logging.getLogger(__name__)


class LongList(Exception):
    """The list has more pages than the caller cares to read."""


@dataclass(frozen=True)
class Page:
    """`total_pages` and `count` (rows in all pages) are None if the answer lacks them."""

    rows: list[Raw]
    total_pages: int | None = None
    count: int | None = None


def read_page(content: Any) -> Page:
    """Reads a bare array, `{data: […], paging: {…}}`, or data as an object keyed by id. Raises Unreadable for anything
    else: an answer without a list is not an empty list."""
    paging: Any = {}
    rows = content
    if isinstance(content, dict):
        rows, paging = content.get("data"), content.get("paging")
        if isinstance(rows, dict) and all(isinstance(row, dict) for row in rows.values()):
            rows = list(rows.values())
    if not isinstance(rows, list):
        raise Unreadable("a list without rows")
    paging = paging if isinstance(paging, dict) else {}
    count = whole(paging.get("count"))
    return Page([row for row in rows if isinstance(row, dict)], whole(paging.get("total_pages")), count)


def read_object(content: Any) -> Raw:
    """Reads a bare object, one in `{data: {…}}`, or a list of one. Raises Unreadable for anything else."""
    if isinstance(content, dict) and "id" not in content and "data" in content:
        content = content["data"]
    if isinstance(content, list) and len(content) == 1:
        content = content[0]
    if not isinstance(content, dict) or not content:
        raise Unreadable("an answer without the object")
    return content


async def walk(
    first: Page, fetch: Callable[[int], Awaitable[Page]], about: str, tell: Callable[[set[str]], None]
) -> AsyncIterator[list[Raw]]:
    """Yields all rows, each id once, page by page; `first` is page 1. Ends at `total_pages`, otherwise at an empty page
    or at one that repeats the page before. If fewer rows came than `count` says, or `count` fell, rows moved between
    pages meanwhile: then the list is walked again, at most three times. `tell` hears of all ids that came so far, and
    may end the walk by what it raises."""
    seen: set[str] = set()
    page = first
    for walked in range(1 + REWALKS):
        if walked:
            page = await fetch(1)
        number, before = 1, None
        count = at_first = page.count
        while True:
            _log_page(about, number, page)
            if fresh := _fresh(page.rows, seen):
                tell(seen)
                yield fresh
            ids = [str(row.get("id")) for row in page.rows]
            if not ids or ids == before or (page.total_pages is not None and number >= page.total_pages):
                break
            before, number = ids, number + 1
            page = await fetch(number)
            count = page.count if page.count is not None else count
        fell = count is not None and at_first is not None and count < at_first  # a row is gone, and others moved up
        if count is None or (len(seen) >= count and not fell):
            return
    log.warning("%s: RO App promised %s rows and sent %s", about, count, len(seen))


def _log_page(about: str, number: int, page: Page) -> None:
    """Logs how far a long walk is: each tenth page, and the last one."""
    last = page.total_pages
    if number > 1 and (number % LOGGED_EVERY == 0 or number == last):
        log.info("%s: page %s%s", about, number, f" of {last}" if last else "")


def _fresh(rows: list[Raw], seen: set[str]) -> list[Raw]:
    fresh = []
    for row in rows:
        if (key := str(row.get("id"))) not in seen:
            seen.add(key)
            fresh.append(row)
    return fresh
