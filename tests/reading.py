"""Reads what comes in pages to its end."""

from __future__ import annotations

from cartum_roapp.sync.fetch import Gathered, Pages, Rows, gather


async def all_of(pages: Pages) -> Rows:
    """Every row as it was read last."""
    gathered = Gathered()
    while await gather(pages, gathered):
        pass
    return gathered.take()
