"""One lock over all changes of shops and accounts, so that what was checked is still true when it is saved."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Engine

from cartum_roapp.ledger import database
from cartum_roapp.service import ledger

#: The name of the lock.
SAVING = "saving shops"


@asynccontextmanager
async def locked_ledger() -> AsyncIterator[Engine]:
    """Yields the ledger while no other process of it changes a shop or an account. Not to be nested."""
    with ledger.opened() as engine:
        async with database.locked_soon(engine, SAVING):
            yield engine
