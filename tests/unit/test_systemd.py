"""The units that start what is not up."""

from __future__ import annotations

import shlex
from configparser import ConfigParser
from pathlib import Path

import typer.main

from cartum_roapp.cli.app import app

FOLDER = Path(__file__).parents[2] / "deployments" / "systemd"


def read(name: str) -> ConfigParser:
    found = ConfigParser()
    found.optionxform = str  # type: ignore[method-assign,assignment]
    found.read_string((FOLDER / name).read_text())
    return found


def test_the_timer_types_a_command_that_there_is_and_leaves_what_it_starts() -> None:
    service, timer = read("cartum-roapp.service")["Service"], read("cartum-roapp.timer")
    program, *arguments = shlex.split(service["ExecStart"])
    assert Path(program).is_absolute() and Path(program).name == "cartum-roapp"
    assert arguments == ["up"] and arguments[0] in typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert (service["Type"], service["KillMode"]) == ("oneshot", "process")
    assert timer["Timer"]["OnUnitInactiveSec"] == "1min" and timer["Install"]["WantedBy"] == "timers.target"
