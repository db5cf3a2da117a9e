"""What a command shows while it works, and what it prints for those who have set NO_COLOR."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pexpect
import pytest

from cartum_roapp.cli.progress import waiting

#: A command that shows everything there is: a spinner with a bar, a question, a table, an error.
EVERYTHING = """
import sys, time, typer
from cartum_roapp.cli import app
from cartum_roapp.cli.output import FAILED, CommandEnd, Json, show, terminal_table
from cartum_roapp.cli.progress import waiting
@app.app.command("everything")
def everything(json: Json = False) -> None:
    with waiting("Reading [all]") as shown:
        shown.bar("delivered", 1, 4)
        shown.lines(["[stored] 4 orders"])
        time.sleep(0.4)
    typer.confirm("Really?", err=True)
    show({}, lambda: ["Text", terminal_table("Orders", ("number", "sum"), [("1001", "5.00")])])
    raise CommandEnd(FAILED, "It failed.", fix="repeat")
sys.exit(app.main(sys.argv[1:]))
"""


def on_a_terminal(home: Path, *arguments: str, **environment: str) -> str:
    """All that a command prints on a terminal, on both outputs."""
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    kept |= {"TERM": "xterm-256color", "HOME": str(home), "CARTUM_ROAPP_HOME": str(home / "home"), **environment}
    child = pexpect.spawn(
        sys.executable, ["-c", EVERYTHING, *arguments], env=kept, encoding="utf-8", timeout=30, dimensions=(40, 100)
    )
    if arguments == ("everything",):
        child.sendline("y")
    child.expect(pexpect.EOF)
    child.close()
    assert isinstance(child.before, str)
    return child.before


@pytest.mark.parametrize(
    "arguments",
    ["everything", "--help", "shop apply --help", "held", "up --bogus", "--install-completion bash"],
)
def test_no_color_means_no_escape_codes_at_all(tmp_path: Path, arguments: str) -> None:
    named = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}  # so that the shell is an argument
    said = on_a_terminal(tmp_path, *arguments.split(), NO_COLOR="1", **named)
    assert {letter for letter in said if not letter.isprintable()} <= {"\r", "\n"}
    assert said.strip()


def test_a_terminal_shows_a_spinner_and_a_bar(tmp_path: Path) -> None:
    said = on_a_terminal(tmp_path, "everything")
    for shown in ("⠋ ", "Reading [all] …", "delivered", "1/4", "[stored] 4 orders", "\x1b[?25h"):
        assert shown in said
    assert "\x1b" in on_a_terminal(tmp_path, "--help")


def test_without_a_terminal_there_is_a_line_at_the_beginning(capsys: pytest.CaptureFixture[str]) -> None:
    with waiting("Starting") as shown:
        assert capsys.readouterr() == ("", "Starting …\n")
        for done in range(21):
            shown.bar("delivered", done, 20)
            shown.lines([f"{done} orders"])
    said = capsys.readouterr().err.splitlines()
    assert said == [f"delivered: {done} of 20" for done in range(2, 21, 2)]
    with waiting("Starting", line=False):
        pass
    assert capsys.readouterr() == ("", "")
