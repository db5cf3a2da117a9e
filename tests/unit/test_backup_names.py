"""Which backups of a home are deleted for a newer one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cartum_roapp.backup import keep_newest, named_in
from cartum_roapp.home import Home


def test_the_first_try_of_an_upgrade_keeps_its_backup(tmp_path: Path) -> None:
    home, now = Home(tmp_path / "home").create(), datetime.now(UTC)
    old, older, *tries = (named_in(tmp_path, home, now - timedelta(days=age)) for age in (31, 400, 2, 1, 1.5, 0.1, 0))
    for path in (old, older, *tries):
        path.touch()
    assert keep_newest(tries[-1], home, 3, timedelta(days=30)) == [older, old]
    assert keep_newest(tries[-1], home, 2) == sorted(tries)[:3]
