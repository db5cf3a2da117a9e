"""A copy of what the ledger knows of a shop, for a dry run: in temporary tables, which hide the real ones for one
connection and go with it. So the very statements of a real run work on it, lock nothing that a real run needs, and
leave nothing behind."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, StaticPool, Table, text

from cartum_roapp.ledger import database, tables

#: What a dry run reads of a table, where that is not all of the shop or of its account.
_READ = {
    "shops": "key = :shop",
    "accounts": "name = :account",
    "outbox": "shop = :shop",
}
#: Made and left empty: what is written there is of no use to a dry run.
_EMPTY = {"backfills", "call_slots", "counters", "order_events", "runs"}


@contextmanager
def copied(engine: Engine, shop: str, account: str) -> Iterator[Engine]:
    """Yields an engine with a single connection, on which all tables of the ledger are copies. It may be lent to
    several users in turn, as long as each ends its transaction first."""
    own = database.connect(engine.url.render_as_string(hide_password=False), poolclass=StaticPool)
    try:
        with own.connect() as connection:
            connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                schema = connection.scalar(text("SELECT current_schema()"))
                for table in tables.metadata.sorted_tables:
                    _copy(connection, f'"{schema}"', table, {"shop": shop, "account": account})
        yield own
    finally:
        own.dispose()


def keep_only(engine: Engine, numbers: Collection[str]) -> None:
    """On a copy: nothing but these orders waits for delivery."""
    with engine.begin() as connection:
        statement = text("DELETE FROM pg_temp.outbox WHERE number <> ALL(:numbers)")
        connection.execute(statement, {"numbers": list(numbers)})


def _copy(connection: Connection, schema: str, table: Table, values: dict[str, str]) -> None:
    name = table.name
    including = "INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING INDEXES"
    connection.execute(text(f"CREATE TEMPORARY TABLE {name} (LIKE {schema}.{name} {including})"))
    if name in _EMPTY:
        return
    where = _READ.get(name) or ("account = :account" if "account" in table.columns else "shop = :shop")
    columns = ", ".join(table.columns.keys())
    connection.execute(
        text(
            f"INSERT INTO pg_temp.{name} ({columns}) OVERRIDING SYSTEM VALUE "
            f"SELECT {columns} FROM {schema}.{name} WHERE {where}"
        ),
        values,
    )
    for column in table.columns:
        if column.identity is not None:
            following = connection.scalar(text(f"SELECT coalesce(max({column.name}), 0) + 1 FROM pg_temp.{name}"))
            connection.execute(text(f"ALTER TABLE pg_temp.{name} ALTER COLUMN {column.name} RESTART WITH {following}"))
