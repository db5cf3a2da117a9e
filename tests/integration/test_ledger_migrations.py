"""A ledger of an older version is brought to the newest, with what it holds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import inspect, make_url, text
from world import admin

from cartum_roapp.errors import BadRecord
from cartum_roapp.ledger import database as ledger
from cartum_roapp.ledger import held, tables
from cartum_roapp.ledger.database import connect, migrate


@pytest.fixture
def database(postgres: str) -> Iterator[str]:
    """The URL of a database without tables."""
    admin(postgres, "CREATE DATABASE older")
    yield make_url(postgres).set(database="older").render_as_string(hide_password=False)
    admin(postgres, "DROP DATABASE older WITH (FORCE)")


#: What a next version may bring: a column whose value is made from what is there, and another one's name.
NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "next"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("held", sa.Column("since", sa.DateTime(timezone=True), nullable=True))
    op.execute(sa.text("UPDATE held SET since = first_at"))
    op.alter_column("held", "fix", new_column_name="remedy")
"""


def test_the_tables_are_those_that_the_queries_name(database: str) -> None:
    """Columns and indexes of the migrated schema, by name."""
    engine = connect(database)
    migrate(engine)
    found = inspect(engine)
    assert {*found.get_table_names()} == {*tables.metadata.tables, "alembic_version"}
    for name, table in tables.metadata.tables.items():
        assert {one["name"] for one in found.get_columns(name)} == {*table.columns.keys()}
        assert {index.name for index in table.indexes} <= {one["name"] for one in found.get_indexes(name)}
    engine.dispose()


def test_an_older_ledger_keeps_its_records(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = connect(database)
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO shops (key, slug, account) VALUES ('abcdef', 'shop', 'main')"))
        error = BadRecord("no", code="refused", fix="ask")
        held.hold(connection, shop="abcdef", entity="order", id="1", error=error)
    _copied(tmp_path, monkeypatch)
    (tmp_path / "migrations" / "versions" / "next.py").write_text(NEXT)
    with ThreadPoolExecutor() as both:  # two processes of the next version begin at once
        for upgrade in [both.submit(migrate, engine, "next") for _ in range(2)]:
            upgrade.result()
    migrate(engine, "next")
    with engine.connect() as connection:
        record = connection.execute(text("SELECT id, remedy, since = first_at AS kept FROM held")).one()
    assert tuple(record) == ("1", "ask", True)
    engine.dispose()


def test_they_are_found_in_any_folder(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _copied(tmp_path / "100%s Größe %(here)s", monkeypatch)
    engine = connect(database)
    migrate(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == ledger.HEAD
    engine.dispose()


def _copied(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the migrations are read from this folder."""
    shutil.copytree(Path(ledger.__file__).parent / "migrations", place / "migrations")
    monkeypatch.setattr(ledger, "__file__", str(place / "database.py"))
