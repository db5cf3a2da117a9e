"""A ledger of an older version is brought to the newest, with what it holds."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url, text
from world import admin

from cartum_roapp.errors import BadConfig, BadRecord
from cartum_roapp.ledger import held, revision, tables
from cartum_roapp.ledger.database import connect, migrate
from cartum_roapp.ledger.revision import MIGRATIONS


@pytest.fixture
def database(postgres: str) -> Iterator[str]:
    """The URL of a database without tables."""
    admin(postgres, "CREATE DATABASE older")
    yield make_url(postgres).set(database="older").render_as_string(hide_password=False)
    admin(postgres, "DROP DATABASE older WITH (FORCE)")


#: What a next version may bring: a column whose value is made from what is there, and another one's name.
NEXT = f"""
import sqlalchemy as sa
from alembic import op

revision = "next"
down_revision = "{revision.HEAD}"


def upgrade() -> None:
    op.add_column("held", sa.Column("since", sa.DateTime(timezone=True), nullable=True))
    op.execute(sa.text("UPDATE held SET since = first_at"))
    op.alter_column("held", "fix", new_column_name="remedy")
"""


def test_the_havingare_those_that_the_queries_name(database: str) -> None:
    """Columns with their types and defaults, keys and indexes of the migrated schema."""
    engine = connect(database)
    migrate(engine)
    with engine.connect() as connection:
        compared = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(compared, tables.metadata) == []
    engine.dispose()


def test_no_revision_is_ever_used_twice() -> None:
    """A revision is called by its day and its content: with other tables it has another id. So a ledger that bears an
    id of ours has those tables."""
    script = ScriptDirectory(str(MIGRATIONS))
    assert script.get_current_head() == revision.HEAD
    for one in script.walk_revisions():
        text = Path(one.path).read_text("utf-8").replace(f'revision = "{one.revision}"', "revision =", 1)
        day, _, digits = one.revision.partition("_")
        datetime.strptime(day, "%Y%m%d")
        assert digits == hashlib.sha256(text.encode()).hexdigest()[:12], "it was changed, so it needs this id"


@pytest.mark.parametrize("found", ["0001", "0009", "20991231_0123456789ab"])
def test_a_ledger_of_another_version_is_refused_in_words(database: str, found: str) -> None:
    engine = connect(database)
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :found"), {"found": found})
        before = _schema(connection)
    with pytest.raises(BadConfig) as refused:
        migrate(engine)
    assert found in refused.value.message and "older" in refused.value.message
    assert "marker" in (refused.value.fix or "")
    with engine.connect() as connection:
        assert _schema(connection) == before
    engine.dispose()


def _schema(connection: Connection) -> list[tuple[str, ...]]:
    columns = "table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
    return [tuple(row) for row in connection.execute(text(f"SELECT {columns} ORDER BY 1, 2"))]


def test_an_older_ledger_keeps_its_records(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = connect(database)
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO shops (key, slug, account) VALUES ('abcdef', 'shop', 'main')"))
        error = BadRecord("no", code="refused", fix="ask")
        held.hold(connection, shop="abcdef", entity="order", id="1", error=error)
    _copied(tmp_path, monkeypatch)
    (tmp_path / "migrations" / "versions" / "next.py").write_text(NEXT)
    monkeypatch.setattr(revision, "HEAD", "next")
    with ThreadPoolExecutor() as both:  # two processes of the next version begin at once
        for upgrade in [both.submit(migrate, engine) for _ in range(2)]:
            upgrade.result()
    migrate(engine)
    with engine.connect() as connection:
        record = connection.execute(text("SELECT id, remedy, since = first_at AS kept FROM held")).one()
    assert tuple(record) == ("1", "ask", True)
    engine.dispose()


def test_they_are_found_in_any_folder(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _copied(tmp_path / "100%s Größe %(here)s", monkeypatch)
    engine = connect(database)
    migrate(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == revision.HEAD
    engine.dispose()


def _copied(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the migrations are read from this folder."""
    shutil.copytree(MIGRATIONS, place / "migrations")
    monkeypatch.setattr(revision, "MIGRATIONS", place / "migrations")
