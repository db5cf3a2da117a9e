"""A ledger of an older version is brought to the newest, with what it holds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from world import admin

from cartum_roapp.ledger import database as ledger
from cartum_roapp.ledger import held, matches
from cartum_roapp.ledger.database import connect, migrate


@pytest.fixture
def database(postgres: str) -> Iterator[str]:
    """The URL of a database without tables."""
    admin(postgres, "CREATE DATABASE older")
    yield make_url(postgres).set(database="older").render_as_string(hide_password=False)
    admin(postgres, "DROP DATABASE older WITH (FORCE)")


def test_a_first_ledger_keeps_its_records(database: str) -> None:
    engine = connect(database)
    migrate(engine, "0001")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO shops (key, slug, account) VALUES ('abcdef', 'shop', 'main')"))
        connection.execute(
            text("INSERT INTO held (shop, entity, id, code, message) VALUES ('abcdef', 'order', '1', 'refused', 'no')")
        )
        connection.execute(
            text("INSERT INTO order_matches (shop, number, account, ro_id) VALUES ('abcdef', '1', 'main', 7)")
        )
    for _ in range(2):
        migrate(engine)
    (record,) = held.listed(engine, "abcdef")
    assert (record.id, record.dismissed_at) == ("1", None)
    with engine.begin() as connection:
        assert held.tell(connection, "abcdef") == 0, "what was held before the update was told then"
    with engine.connect() as connection:
        match = matches.order(connection, "abcdef", "1")
    assert match is not None and (match.ro_id, match.make_again) == (7, False)
    engine.dispose()


def test_they_are_found_in_any_folder(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "100%s Größe %(here)s"
    shutil.copytree(Path(ledger.__file__).parent / "migrations", place / "migrations")
    monkeypatch.setattr(ledger, "__file__", str(place / "database.py"))
    engine = connect(database)
    migrate(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == ledger.HEAD
    engine.dispose()
