"""Array filters of RO App. It is not known which spelling it takes: `name[]=` or a repeated `name=` (roapp §2).

RO App ignores filters that it does not know and then sends *everything*. So the first page of each walk is compared
with what was asked for. If it does not fit, the other spelling is tried once, and the one that works is kept for the
client's life. An empty answer proves nothing, and of several values a server may take only the last one; so each
spelling is tried once with a row that is known to exist, between two other values. The caller checks all rows.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cartum_roapp.apis.http import stamp
from cartum_roapp.apis.roapp.paging import Page, Raw
from cartum_roapp.apis.roapp.rows import Contact, RoOrder, read
from cartum_roapp.apis.roapp.sending import RefusedCall

Params = list[tuple[str, str]]
Fetch = Callable[[Params], Awaitable[Page]]

BRACKETS, BARE, LEFT_OUT = "[]", "", None
_SLACK = timedelta(seconds=1)


@dataclass(frozen=True)
class Filter:
    """`matches(raw row)` is False only if the row certainly was not asked for. `like(raw row)` returns a filter of the
    same name that must find that row, None if the row has no such value."""

    name: str
    values: tuple[str, ...]
    matches: Callable[[Raw], bool]
    like: Callable[[Raw], Filter | None]


def by_phones(phones: Sequence[str]) -> Filter:
    wanted = [digits for phone in phones if (digits := _digits(phone))]

    def matches(row: Raw) -> bool:
        found = [_digits(phone) for contact in read(Contact, [row]) for phone in contact.phones]
        return any(_same(one, other) or _has_part(one, other) for one in found for other in wanted)

    def like(row: Raw) -> Filter | None:
        found = [phone for contact in read(Contact, [row]) for phone in contact.phones if len(_digits(phone)) >= 9]
        return by_phones(found[:1]) if found else None

    return Filter("phones", tuple(phones), matches, like)


def by_emails(emails: Sequence[str]) -> Filter:
    wanted = {email.strip().casefold() for email in emails}

    def matches(row: Raw) -> bool:
        found = [contact.email.strip().casefold() for contact in read(Contact, [row])]
        return any(email in one for one in found for email in wanted)

    def like(row: Raw) -> Filter | None:
        found = [contact.email for contact in read(Contact, [row]) if contact.email]
        return by_emails(found) if found else None

    return Filter("emails", tuple(emails), matches, like)


def by_date(name: str, since: datetime | None) -> Filter | None:
    """Returns the filter `name[]=since` (ISO 8601 with Z, inclusive); None without `since`. An end is not sent: a
    server that takes only the last value of a repeated name would take it for the beginning."""
    if since is None:
        return None

    def matches(row: Raw) -> bool:
        for order in read(RoOrder, [row]):
            when = order.created_at if name == "created_at" else order.modified_at
            if when is not None and when < since - _SLACK:
                return False
        return True

    def like(row: Raw) -> Filter | None:
        for order in read(RoOrder, [row]):
            return by_date(name, order.created_at if name == "created_at" else order.modified_at)
        return None

    return Filter(name, (stamp(since),), matches, like)


class Spelling:
    """The spellings of filters that this account's RO App takes, as far as they are known."""

    def __init__(self) -> None:
        self._suffix: dict[tuple[str, str], str | None] = {}
        self._probed: set[tuple[str, str]] = set()
        self._works: dict[tuple[str, str], bool] = {}
        self._everything: dict[str, Page] = {}

    def works(self, path: str, name: str) -> bool | None:
        """Returns whether RO App applies this filter; None until a walk has shown it."""
        return self._works.get((path, name))

    def note(self, path: str, everything: Page) -> None:
        """Notes page 1 without filters, which the next search of this list would read to try its spelling."""
        self._everything[path] = everything

    async def first_page(self, path: str, filters: Iterable[Filter], fetch: Fetch) -> tuple[Page, Params]:
        """Returns page 1, and the parameters for the other pages."""
        filters = list(filters)
        if not filters:
            return await fetch([]), []
        chosen = {item.name: self._suffix.get((path, item.name), BRACKETS) for item in filters}
        page = await _page_or_none(filters, chosen, fetch)
        for item in filters:
            known = (path, item.name)
            if known in self._suffix:
                continue
            everything, proven = None, None
            if page is not None and _fits(item, page):
                if len(item.values) > 1 and known not in self._probed:
                    self._probed.add(known)
                    everything = self._everything.pop(path, None) or await fetch([])
                    missed = _misses_rows(item, page, everything)
                    proven = not missed and await _finds_known_row(item, everything, chosen[item.name], fetch)
                if proven is not False:
                    self._note(known, chosen[item.name], works=bool(proven or page.rows) or None, settled=bool(proven))
                    continue
                page = None
            other = {**chosen, item.name: BARE if chosen[item.name] == BRACKETS else BRACKETS}
            second = await _page_or_none(filters, other, fetch)
            if second is not None and (len(item.values) > 1 or (page is not None and not second.rows)):
                everything = everything or page or await fetch([])
                second = second if await _finds_known_row(item, everything, other[item.name], fetch) else None
            if second is not None and (page is None or _fits(item, second) or _size(second) < _size(page)):
                page, chosen = second, other
            elif page is None:
                chosen = {**chosen, item.name: LEFT_OUT}
                page = await _page_or_none(filters, chosen, fetch)
            works = chosen[item.name] is not LEFT_OUT and page is not None and _fits(item, page)
            self._note(known, chosen[item.name], works=works, settled=True)
        params = _params(filters, chosen)
        return (page if page is not None else await fetch(params)), params

    def _note(self, known: tuple[str, str], suffix: str | None, *, works: bool | None, settled: bool) -> None:
        if works is not None:
            self._works[known] = works
        if settled:
            self._suffix[known] = suffix


async def _page_or_none(filters: list[Filter], chosen: dict[str, str | None], fetch: Fetch) -> Page | None:
    try:
        return await fetch(_params(filters, chosen))
    except RefusedCall as error:
        if error.http not in (400, 422):
            raise
        return None


def _misses_rows(item: Filter, page: Page, everything: Page) -> bool:
    """Returns whether the complete answer lacks a row that was asked for."""
    found = {str(row.get("id")) for row in page.rows}
    return (page.total_pages or 1) <= 1 and any(
        item.matches(row) and str(row.get("id")) not in found for row in everything.rows
    )


async def _finds_known_row(item: Filter, everything: Page, suffix: str | None, fetch: Fetch) -> bool | None:
    """Returns whether this spelling finds a row that is known to exist; if there are several values, also between other
    ones. None if no such row is known."""
    several = len(item.values) > 1
    others = (row for row in everything.rows if not (several and item.matches(row)))
    probe = next((probe for row in others if (probe := item.like(row))), None)
    if probe is None:
        return None
    values = (item.values[0], *probe.values, item.values[-1]) if several else probe.values
    page = await _page_or_none([replace(item, values=values)], {item.name: suffix}, fetch)
    found = page.rows if page is not None else []
    return any(map(probe.matches, found)) and all(probe.matches(row) or item.matches(row) for row in found)


def _params(filters: list[Filter], chosen: dict[str, str | None]) -> Params:
    return [
        (f"{item.name}{suffix}", value)
        for item in filters
        if (suffix := chosen[item.name]) is not None
        for value in item.values
    ]


def _fits(item: Filter, page: Page) -> bool:
    return all(item.matches(row) for row in page.rows)


def _size(page: Page) -> int:
    if page.count is not None:
        return page.count
    return len(page.rows) * max(1, page.total_pages or 1)


def _digits(phone: str) -> str:
    return re.sub(r"\D", "", phone)


def _same(one: str, other: str) -> bool:
    # RO App may store a number with or without its country code.
    return one[-9:] == other[-9:] if min(len(one), len(other)) >= 9 else one == other


def _has_part(one: str, other: str) -> bool:
    # A server may compare parts: a number with an extension behind it was asked for as well.
    return len(other) >= 9 and other[-9:] in one
