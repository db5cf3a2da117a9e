"""Lists that Prefect's server gives in pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar
from uuid import UUID

#: As many rows as a server gives at once, unless its own PREFECT_SERVER_API_DEFAULT_LIMIT says otherwise.
PAGE = 200


class Identified(Protocol):
    @property
    def id(self) -> UUID: ...


Row = TypeVar("Row", bound=Identified)


async def every_row(read: Callable[[int, int], Awaitable[Sequence[Row]]]) -> list[Row]:
    """All rows of a list, each once, in its order. `read(limit, offset)` asks for one page.

    Ends at a page that is not full or brings no new row: not every list of the server heeds limit and offset. Sort by
    something unique, else rows fall between two pages.
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
