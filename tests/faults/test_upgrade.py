"""From this version to a next one, which has one table more."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from homes import new_home
from installation import Installation
from of_one_shop import begin, end, place
from pages import ROOT
from reliability import Record

from cartum_roapp.ledger import revision
from sandbox import Sandbox

pytestmark = pytest.mark.long

PROGRAMS = ("blocks", "cartum_roapp", "console", "deployments", "flows", "tasks")
NEXT = f"""
from alembic import op

revision = "next"
down_revision = "{revision.HEAD}"


def upgrade() -> None:
    op.execute("CREATE TABLE of_the_next (id BIGINT)")
"""


@pytest.fixture
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Sandbox(orders=5, seed=5, rate_limit=0) as box:
        system = Installation(new_home(tmp_path_factory, "upgraded"), box)
        try:
            yield system
        finally:
            system.close()


@pytest.fixture
def following(tmp_path: Path) -> Path:
    """The code of the next version."""
    code = tmp_path / "next"
    for name in PROGRAMS:
        shutil.copytree(ROOT / name, code / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "prefect.yaml", code)
    ledger = code / "cartum_roapp" / "ledger"
    (ledger / "migrations" / "versions" / "next.py").write_text(NEXT)
    declared = ledger / "revision.py"
    declared.write_text(re.sub('^HEAD = ".*"$', 'HEAD = "next"', declared.read_text(), flags=re.MULTILINE))
    return code


def test_an_upgrade(system: Installation, following: Path, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    """All programs of this version run, and the last orders are not delivered yet. Nothing changes until there is a
    backup; this version refuses the ledger from then on."""
    begin(system)
    place(system, 3)
    with monkeypatch.context() as patched:
        install(following, system, patched)
        before = system.worker()
        refused = system.command("up", "--backup", "/proc")  # where nobody makes a file
        assert refused.code == 2 and "Nothing was stopped or changed" in refused.said
        assert system.worker() == before and not list((system.home / "backups").iterdir())
        upgraded = system.done("up")
        (backup,) = (system.home / "backups").iterdir()
        assert upgraded["backup"] == str(backup) and revision.HEAD not in backup.name
        assert not before.alive() and system.done("up")["backup"] is None
        system.done("sync", "shop-1")
        assert len(system.shell.box.roapp_orders()) == len(system.box.shops[0].qualifying())
        record("The machine", "an upgrade from an earlier version while everything runs", end(system, 1), "`up`")
    newer = system.command("up")
    assert newer.code == 2 and "belongs to an older or newer cartum-roapp" in newer.said


def install(code: Path, system: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on commands, and what they start, are of this code."""
    shell = system.shell
    monkeypatch.setitem(shell.environment, "PYTHONPATH", str(code))

    def ended(*arguments: str, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cartum_roapp.cli.app", *arguments, "--json"]
        variables = {**shell.environment, **environment}
        return subprocess.run(
            command, cwd=code, env=variables, input=typed, capture_output=True, text=True, check=False
        )

    monkeypatch.setattr(shell, "ended", ended)
    monkeypatch.setattr(revision, "HEAD", "next")
    monkeypatch.setattr(revision, "MIGRATIONS", code / "cartum_roapp" / "ledger" / "migrations")
