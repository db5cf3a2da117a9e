"""How Prefect's server migrates its database: one server at a time, and an interrupted first migration starts over.

Some of Prefect's migrations commit partway through. One that is killed there fails at every later start, so a home
whose first start was killed, or met a full disk, would never start again. As long as the first migration has not ended
there is a schema `first_migration`. A server that finds it drops all tables and types, which nobody has used yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prefect.server.database import provide_database_interface
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Any fixed number, the same in every installation.
_LOCK = 0x0CA7_0A99
_AGAIN = 0.2  # seconds

_IS_BROKEN_OFF = "SELECT to_regnamespace('first_migration') IS NOT NULL"
_IS_NEW = "SELECT to_regclass('public.alembic_version') IS NULL"
_THERE = """
SELECT format('DROP TABLE %I.%I CASCADE', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public'
UNION ALL
SELECT format('DROP TYPE public.%I CASCADE', typname) FROM pg_type
WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'
"""


@asynccontextmanager
async def migrating() -> AsyncIterator[None]:
    """Inside the block Prefect may migrate its database. Its server must be up when the block ends. Raises SQLAlchemy's
    errors."""
    engine = (await provide_database_interface().engine()).execution_options(isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        # Polls: a statement that waits for the lock would block CREATE INDEX CONCURRENTLY.
        while not await connection.scalar(text(f"SELECT pg_try_advisory_lock({_LOCK})")):
            await asyncio.sleep(_AGAIN)
        await _begin(connection)
        yield
        await connection.execute(text("DROP SCHEMA IF EXISTS first_migration"))
        await connection.execute(text(f"SELECT pg_advisory_unlock({_LOCK})"))


async def _begin(connection: AsyncConnection) -> None:
    if await connection.scalar(text(_IS_BROKEN_OFF)):
        for statement in (await connection.scalars(text(_THERE))).all():
            await connection.execute(text(statement))
    elif await connection.scalar(text(_IS_NEW)):
        await connection.execute(text("CREATE SCHEMA first_migration"))
