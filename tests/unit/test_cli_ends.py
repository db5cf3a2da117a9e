"""How a command ends where nobody reads its result, and where a person says no."""

from __future__ import annotations

import io
import logging
import os
import stat
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from cartum_roapp.cli import backend, held_export
from cartum_roapp.cli.app import main

READ_BY_NOBODY = """
import sys
from cartum_roapp.cli import app
from cartum_roapp.cli.output import BAD_INPUT, CommandEnd, Json, show
@app.app.command("try")
def tried(fail: bool, json: Json = False) -> None:
    if fail:
        raise CommandEnd(BAD_INPUT, "Nothing to change.")
    show({"a": 1}, lambda: "a")
sys.exit(app.main(["try", sys.argv[1], "--json"]))
"""


@pytest.mark.parametrize(("fail", "code", "said"), [("false", 1, ""), ("true", 2, "Nothing to change.\n")])
def test_a_document_that_nobody_reads_is_no_crash(fail: str, code: int, said: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", READ_BY_NOBODY, fail], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (code, said)


class Terminal(io.StringIO):
    """A person who types."""

    def isatty(self) -> bool:
        return True


def test_no_to_the_question_deletes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from deployments import shops

    async def connected(*, deleted: bool = False) -> set[str]:
        return {"mavka"}

    monkeypatch.setattr("cartum_roapp.cli.backend.serving", nullcontext)
    monkeypatch.setattr(shops, "connected", connected)
    monkeypatch.setattr(shops, "disconnect", None)
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    assert main(["shop", "delete", "mavka"]) == 1
    assert capsys.readouterr().err.endswith("Nothing was deleted: the answer was no.\n")


def test_an_edit_may_be_a_new_password_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Asked(Exception):
        pass

    def serving() -> None:
        raise Asked

    monkeypatch.setenv("CARTUM_ROAPP_HOME", "/nonexistent")
    monkeypatch.setattr("cartum_roapp.cli.backend.serving", serving)
    monkeypatch.delenv("CARTUM_ROAPP_SHOP_PASSWORD", raising=False)
    assert main(["shop", "edit", "mavka"]) == 2
    said = capsys.readouterr().err
    assert "Nothing to change." in said and "--password-stdin" in said
    monkeypatch.setenv("CARTUM_ROAPP_SHOP_PASSWORD", "new")
    monkeypatch.setattr("cartum_roapp.cli.crash.write_log", lambda error: "…")
    assert main(["shop", "edit", "mavka"]) == 1
    assert "(Asked)" in capsys.readouterr().err


def test_a_warning_of_the_deployments_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    handler, log = backend._Warnings(), logging.getLogger("deployments.alerts")
    logging.getLogger("deployments").addHandler(handler)
    try:
        for _ in range(2):
            log.warning("No messages are sent: %s", "why")
    finally:
        logging.getLogger("deployments").removeHandler(handler)
    assert capsys.readouterr().err.count("Warning: No messages are sent: why\n") == 1


def test_an_export_over_a_file_is_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "held.csv"
    path.write_text("what stood here before, longer than what comes")
    path.chmod(0o644)
    held_export._write(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    held_export._write(Path("/dev/null"), "new")
    assert stat.S_IMODE(Path("/dev/null").stat().st_mode) == 0o666
