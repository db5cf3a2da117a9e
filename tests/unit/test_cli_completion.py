"""The shell completes commands after `--install-completion`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A person's, with the program on the path."""
    program = tmp_path / "bin" / "cartum-roapp"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m cartum_roapp.cli.app "$@"\n')
    program.chmod(0o755)
    found = {**os.environ, "HOME": str(tmp_path), "CARTUM_ROAPP_HOME": str(tmp_path / "home"), "TERM": "dumb"}
    return {**found, "PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


def bash(command: str, environment: dict[str, str]) -> str:
    # The second command keeps bash from becoming the first one, which asks what shell it was started by.
    return subprocess.run(
        ["bash", "-c", f"{command} && true"], env=environment, capture_output=True, text=True, check=True
    ).stdout


def test_what_is_installed_completes_in_a_new_shell(environment: dict[str, str]) -> None:
    for _ in range(2):
        bash("cartum-roapp --install-completion", environment)
    home = Path(environment["HOME"])
    assert (home / ".bashrc").read_text().count("cartum-roapp.sh") == 1
    shell = pexpect.spawn(
        "bash", ["--noprofile", "--rcfile", str(home / ".bashrc"), "-i"], env=environment, encoding="utf-8", timeout=30
    )
    for typed, completed in (("recon\t", "reconcile "), ("my-shop --re\t", "my-shop --repair ")):
        shell.send(f"cartum-roapp {typed}" if typed == "recon\t" else typed)
        shell.expect_exact(completed)
    shell.close(force=True)
    assert not (home / "home").exists(), "completing started something"


def test_the_script_is_shown_too(environment: dict[str, str]) -> None:
    assert "complete -o default -F _cartum_roapp_completion cartum-roapp" in bash(
        "cartum-roapp --show-completion", environment
    )
