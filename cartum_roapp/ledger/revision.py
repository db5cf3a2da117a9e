"""Which tables a ledger has. One that this version neither has nor upgrades is refused before anything is changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cartum_roapp.errors import BadConfig

MIGRATIONS = Path(__file__).parent / "migrations"

#: Of the newest migration: its day, and digits of its content (tests/integration/test_ledger_migrations.py has them).
HEAD = "20261204_f6340d69f791"


def found(ask: Callable[[str], object]) -> str | None:
    """Returns the revision of a ledger; None if it is empty. `ask` returns the first value that a query has."""
    if ask("SELECT to_regclass('alembic_version')") is None:
        return None
    version = ask("SELECT version_num FROM alembic_version")
    return None if version is None else str(version)


def check(revision: str | None, place: str, field: str) -> None:
    """Raises BadConfig if a ledger of this revision is neither this version's nor one that it upgrades. `place` is
    where the ledger is, `field` the setting that says so."""
    if revision in (None, HEAD) or _upgradable(str(revision)):
        return
    raise BadConfig(
        f"The ledger in {place} belongs to an older or newer cartum-roapp: its revision is {revision}, this "
        f"version's is {HEAD}.",
        field=field,
        fix=f"Use the version that made it, or name a new place in {field}: each order is found again by its marker in "
        "RO App.",
    )


def _upgradable(revision: str) -> bool:
    from alembic.script import ScriptDirectory

    return revision in {one.revision for one in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
