"""Reading RO App: single rows, short directories, and the long lists with their filters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, TypeVar

from cartum_roapp.apis.http import Unreadable
from cartum_roapp.apis.roapp import rows
from cartum_roapp.apis.roapp.filters import Filter, Params, Spelling
from cartum_roapp.apis.roapp.paging import Page, read_object, read_page, walk
from cartum_roapp.apis.roapp.sending import Missing, Refused, Sending
from cartum_roapp.errors import BadRecord

R = TypeVar("R", bound=rows.Row)


class Reading:
    """Typed reads of one account. `sortable`: the path of the list that is asked for in the order of creation, as
    long as RO App takes `sort` (which fields it takes is not documented, roapp §2)."""

    def __init__(self, sending: Sending, *, sortable: str) -> None:
        self._sending = sending
        self._sortable: str | None = sortable
        self.spelling = Spelling()

    async def directory(self, path: str, kind: type[R], missing: Missing = "collection") -> list[R]:
        """A list that is documented without pages; read page by page where it comes in pages all the same."""

        async def fetch(number: int) -> Page:
            params = [("page", str(number))] if number > 1 else []
            return await self._sending.get(path, read_page, params, missing=missing, about=(path.strip("/"), None))

        first = await fetch(1)
        if first.total_pages is None:  # a bare array is never paged
            return rows.read(kind, first.rows)
        return [row async for page in walk(first, fetch, path) for row in rows.read(kind, page)]

    async def walk(self, path: str, kind: type[R], filters: list[Filter]) -> AsyncIterator[list[R]]:
        """All pages of a list, each row once; what the filters let through is not checked here."""
        first, params = await self.spelling.first_page(path, filters, lambda asked: self._page(path, asked, 1))
        async for page in walk(first, lambda number: self._page(path, params, number), path):
            if typed := rows.read(kind, page):
                yield typed

    async def _page(self, path: str, params: Params, number: int) -> Page:
        asked = [*params, ("page", str(number))]
        about = (path.strip("/"), None)
        if path == self._sortable:
            try:
                sorted_ = [*asked, ("sort", "created_at")]
                return await self._sending.get(path, read_page, sorted_, missing="collection", about=about)
            except Refused as error:
                if error.http not in (400, 422):
                    raise
            page = await self._sending.get(path, read_page, asked, missing="collection", about=about)
            self._sortable = None
            return page
        return await self._sending.get(path, read_page, asked, missing="collection", about=about)

    async def one(self, path: str, kind: type[R], entity: str, id_: int) -> R | None:
        """None for a row that isn't there (404) or isn't shown one by one (405)."""

        def read_one(content: Any) -> R:
            found = rows.read(kind, [read_object(content)])
            if not found:
                raise Unreadable("a row without an id")
            return found[0]

        try:
            return await self._sending.get(path, read_one, missing="row", about=(entity, id_))
        except Refused as error:
            if error.http == 405:
                return None
            raise
        except BadRecord as error:
            if error.code == "not-found":
                return None
            raise
