"""One lock over all changes of shops and accounts, so that what was checked is still true when it is saved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Engine

from cartum_roapp.ledger import database
from cartum_roapp.service import ledger

#: The name of the lock.
SAVING = "saving shops"
_LOOK = 0.1  # seconds


@asynccontextmanager
async def locked_ledger() -> AsyncIterator[Engine]:
    """Yields the ledger while no other process of it changes a shop or an account. Not to be nested."""
    # The lock ends with its connection, and that with the engine, which only this call uses.
    with ledger.opened() as engine, engine.connect() as connection:
        while not database.try_lock(connection, SAVING):
            await asyncio.sleep(_LOOK)
        yield engine
