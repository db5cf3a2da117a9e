"""Reads lists that Prefect's server returns in pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar
from uuid import UUID

#: The most rows that a server returns at once by default (its PREFECT_SERVER_API_DEFAULT_LIMIT).
PAGE = 200


class Identified(Protocol):
    @property
    def id(self) -> UUID: ...


Row = TypeVar("Row", bound=Identified)


async def every_row(read: Callable[[int, int], Awaitable[Sequence[Row]]]) -> list[Row]:
    """Returns all rows of a list, each once, in its order. `read(limit, offset)` returns one page.

    Ends at a page that is not full or brings no new row: some lists of the server ignore limit and offset. `read` has
    to sort by something unique, otherwise rows may be missed between two pages.
    """
    found: dict[UUID, Row] = {}
    received = 0
    while True:
        page = await read(PAGE, received)
        received += len(page)
        known = len(found)
        found.update((row.id, row) for row in page)
        if len(page) != PAGE or len(found) == known:
            return list(found.values())
