"""The unit that keeps a home up."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path

import pytest
import typer.main
from shell import Shell

from cartum_roapp.cli.app import app
from sandbox import Sandbox

SECRET = 'postgresql://me:a"b\\c@127.0.0.1/mine'


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    with Sandbox(orders=0) as box:
        made = Shell(tmp_path / "a home 100 %", box)
    made.environment["CARTUM_ROAPP_DATABASE_URL"] = SECRET
    return made


def read(path: Path) -> RawConfigParser:
    found = RawConfigParser()
    found.optionxform = str  # type: ignore[method-assign,assignment]
    found.read_string(path.read_text())
    return found


def test_the_unit_stays_with_a_command_that_there_is(shell: Shell, tmp_path: Path) -> None:
    units = tmp_path / "units"
    written = shell.run("service", "install", "--folder", str(units))
    service = read(units / "cartum-roapp.service")["Service"]
    program, *arguments = shlex.split(service["ExecStart"])
    assert Path(program).is_absolute() and arguments == ["-P", "-m", "cartum_roapp.cli", "up", "--foreground"]
    up = typer.main.get_command(app).commands["up"]  # type: ignore[attr-defined]
    assert "--foreground" in {option for parameter in up.params for option in parameter.opts}
    assert (service["Restart"], service["KillMode"]) == ("always", "mixed")
    assert int(service["LimitNOFILE"]) > 1024, "as many as systemd gives by itself"
    assert written["type"][1].endswith("enable --now cartum-roapp.service")
    if shutil.which("systemd-analyze"):
        command = ["systemd-analyze", "verify", written["unit"]]
        checked = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, "")
        # As root only: what a user's own systemd can enforce is less, as is what there is to take away.
        command = ["systemd-analyze", "security", "--offline=true", "--threshold=50", written["unit"]]
        checked = subprocess.run(command, capture_output=True, text=True, check=False)
        assert checked.returncode == 0 or os.geteuid() != 0, checked.stdout


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root to give rights away")
def test_the_database_starts_with_the_rights_that_the_unit_leaves(shell: Shell, tmp_path: Path) -> None:
    shell.run("service", "install", "--folder", str(tmp_path / "units"))
    kept = read(tmp_path / "units" / "cartum-roapp.service")["Service"]["CapabilityBoundingSet"].lower().split()
    rights = ",".join(["-all", *(f"+{name.removeprefix('cap_')}" for name in kept)])
    home = tmp_path / "home"
    environment = {**shell.environment, "CARTUM_ROAPP_HOME": str(home)}
    del environment["CARTUM_ROAPP_DATABASE_URL"]
    program = "from cartum_roapp import service; from cartum_roapp.settings import settings as s; "
    program += "service.start(s(), ['postgres']); print(*service.stop(s()))"
    limited = ["setpriv", f"--bounding-set={rights}", "--inh-caps=-all", "--no-new-privs"]
    command = [*limited, sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "postgres supervisor"), done.stderr


def test_the_settings_are_in_a_file_of_their_own_that_others_can_not_read(shell: Shell, tmp_path: Path) -> None:
    shell.run("service", "install", "--folder", str(tmp_path / "units"))
    environment = Path(shell.environment["CARTUM_ROAPP_HOME"]) / "service.env"
    assert environment.stat().st_mode & 0o77 == 0
    values = dict(word.partition("=")[::2] for word in shlex.split(environment.read_text()))
    assert values["CARTUM_ROAPP_DATABASE_URL"] == SECRET
    assert values["CARTUM_ROAPP_HOME"] == shell.environment["CARTUM_ROAPP_HOME"]
    assert "CARTUM_ROAPP_SHOP_PASSWORD" not in values, "a command's, not a setting"
    assert SECRET not in "".join(path.read_text() for path in (tmp_path / "units").iterdir())


def test_the_unit_of_another_home_is_not_replaced(shell: Shell, tmp_path: Path) -> None:
    arguments = ("service", "install", "--folder", str(tmp_path / "units"))
    shell.run(*arguments)
    shell.run(*arguments)
    assert shell.ended(*arguments, "--name", "../x").returncode == 2
    shell.environment["CARTUM_ROAPP_HOME"] = str(tmp_path / "another")
    assert shell.ended(*arguments).returncode == 2
    shell.run(*arguments, "--name", "another")
    assert len(list((tmp_path / "units").iterdir())) == 2
