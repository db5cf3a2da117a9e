"""From an earlier version to this one: `make soak`, as it needs the project's history."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from homes import new_home
from installation import Installation
from of_one_shop import end, place
from pages import ROOT
from reliability import Record

from sandbox import Sandbox

pytestmark = pytest.mark.soak

EARLIER = os.environ.get("UPGRADE_FROM", "b378e87")


@pytest.fixture
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Sandbox(orders=5, seed=5, rate_limit=0) as box:
        system = Installation(new_home(tmp_path_factory, "upgraded"), box)
        try:
            yield system
        finally:
            system.close()


def test_an_upgrade(system: Installation, tmp_path: Path, record: Record) -> None:
    """All programs of the earlier version run, and its last orders are not delivered yet."""
    code = tmp_path / "earlier"
    code.mkdir()
    packed = subprocess.run(["git", "-C", str(ROOT), "archive", EARLIER], check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", str(code)], input=packed, check=True)
    _typed(system, code, "account", "add", "main", "--base-url", system.box.roapp.base_url)
    for words in (
        ["shop", "add", "shop-1", "--from", str(system.file(0)), "--no-import"],
        ["up"],
        ["import", "shop-1"],
    ):
        _typed(system, code, *words)
    place(system, 3)
    upgraded = system.done("upgrade")
    assert Path(upgraded["backup"]).exists(), upgraded
    system.done("sync", "shop-1")
    assert len(system.shell.box.roapp_orders()) == len(system.box.shops[0].qualifying())
    record("The machine", "an upgrade from an earlier version while everything runs", end(system, 1), "`upgrade`")


def _typed(system: Installation, code: Path, *words: str) -> None:
    """A command of the earlier version."""
    environment = {
        **system.shell.environment,
        "CARTUM_ROAPP_SHOP_PASSWORD": system.shell.box.shop["password"],
        "PYTHONPATH": str(code),
    }
    command = [sys.executable, "-m", "cartum_roapp.cli.app", *words, "--json"]
    ended = subprocess.run(command, cwd=code, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
