"""Reads from RO App: single rows, short lists (directories), and long lists with filters."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from cartum_roapp.apis.reply import Unreadable
from cartum_roapp.apis.roapp import rows
from cartum_roapp.apis.roapp.filters import BARE, BRACKETS, Filter, Params, Spelling
from cartum_roapp.apis.roapp.paging import LongList, Page, read_object, read_page, walk
from cartum_roapp.apis.roapp.sending import About, Missing, RefusedCall, Sending
from cartum_roapp.errors import BadRecord, Code

R = TypeVar("R", bound=rows.Row)


class Reading:
    """Typed reads of one account. `sortable` is the path of the list that is read in the order of creation, if RO App
    takes `sort` (the fields that it takes are not documented, roapp §2)."""

    def __init__(self, sending: Sending, *, sortable: str) -> None:
        self._sending = sending
        self._sortable: str | None = sortable
        self.spelling = Spelling()
        self._ids_spellings = [BRACKETS, BARE]
        self._ids_apply = False

    async def directory(
        self, path: str, kind: type[R], missing: Missing = "collection", about: About | None = None
    ) -> list[R]:
        """Returns all rows of a list that is documented without pages. Reads all pages if it has some nevertheless."""

        tally = self._sending.tally(path)

        async def fetch(number: int, missing: Missing = missing) -> Page:
            params = [("page", str(number))] if number > 1 else []
            named = about or (path.strip("/"), None)
            page = await self._sending.get(path, read_page, params, missing=missing, about=named)
            tally.page(page.rows)
            return page

        first = await fetch(1)
        if first.total_pages is None and first.count is None:  # a bare array is never paged
            return rows.read(kind, first.rows)
        pages = walk(first, _ending_at_refusal(first, fetch), path, tally.seen)
        return [row async for page in pages for row in rows.read(kind, page)]

    async def walk(
        self, path: str, kind: type[R], filters: list[Filter], missing: Missing = "collection", most: int | None = None
    ) -> AsyncIterator[list[R]]:
        """Yields all pages of a list, each row once. The caller checks that the filters were applied. Raises LongList
        as soon as the list shows that it has more than `most` pages."""
        tally = self._sending.tally(path)

        async def asking(params: Params, number: int = 1, missing: Missing = missing) -> Page:
            page = await self._page(path, params, number, missing)
            tally.page(page.rows)
            return page

        first, params = await self.spelling.first_page(path, filters, asking)

        async def fetch(number: int, missing: Missing = missing) -> Page:
            return await asking(params, number, missing)

        if most is not None and (first.total_pages or 0) > most:
            self.spelling.note(path, first)
            raise LongList
        read = 0
        async for page in walk(first, _ending_at_refusal(first, fetch), path, tally.seen):
            read += 1
            if most is not None and read > most:
                raise LongList
            if typed := rows.read(kind, page):
                yield typed

    async def some(self, path: str, kind: type[R], ids: Sequence[int]) -> list[R] | None:
        """Returns rows with these ids, as many as one call brings; None where RO App does not apply this filter in
        either spelling, or has not shown yet that it does."""
        for suffix in list(self._ids_spellings):
            asked: Params = [(f"ids{suffix}", str(id_)) for id_ in ids]
            try:
                page = await self._sending.get(path, read_page, asked, missing="collection", about=(path, None))
            except RefusedCall as error:
                if error.http not in (400, 422):
                    raise
                page = Page([])
            found = rows.read(kind, self._sending.tally(path).page(page.rows))
            if all(row.id in ids for row in found) and (found or self._ids_apply):
                self._ids_spellings, self._ids_apply = [suffix], True
                return found
            self._ids_spellings.remove(suffix)
        return None

    async def _page(self, path: str, params: Params, number: int, missing: Missing) -> Page:
        asked = [*params, ("page", str(number))]
        about = (path.strip("/"), None)
        if path == self._sortable:
            try:
                sorted_ = [*asked, ("sort", "created_at")]
                return await self._sending.get(path, read_page, sorted_, missing=missing, about=about)
            except RefusedCall as error:
                if error.http not in (400, 422):
                    raise
            page = await self._sending.get(path, read_page, asked, missing=missing, about=about)
            self._sortable = None
            return page
        return await self._sending.get(path, read_page, asked, missing=missing, about=about)

    async def one(self, path: str, kind: type[R], entity: str, id_: int, missing: Missing = "row") -> R | None:
        """Returns None if there is no such row (404), or if single rows are not returned (405, and with `optional` the
        codes that it stands for)."""

        def read_one(content: Any) -> R:
            found = rows.read(kind, [read_object(content)])
            if not found:
                raise Unreadable("a row without an id")
            return found[0]

        try:
            return await self._sending.get(path, read_one, missing=missing, about=(entity, id_))
        except RefusedCall as error:
            if error.http == 405:
                return None
            raise
        except BadRecord as error:
            if error.code in (Code.NOT_FOUND, Code.NOT_AVAILABLE):
                return None
            raise


class _Fetch(Protocol):
    async def __call__(self, number: int, missing: Missing = ...) -> Page: ...


def _ending_at_refusal(first: Page, fetch: _Fetch) -> Callable[[int], Awaitable[Page]]:
    """Returns a `fetch` that takes a refused page for an empty one: so may end a list without a number of pages."""

    async def page(number: int) -> Page:
        if number == 1 or first.total_pages is not None:
            return await fetch(number)
        try:
            return await fetch(number, "row")
        except BadRecord as error:
            if error.code == Code.NOT_FOUND or (isinstance(error, RefusedCall) and error.http in (400, 422)):
                return Page([])
            raise

    return page
