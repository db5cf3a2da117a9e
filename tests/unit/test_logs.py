"""Log lines as JSON: one object a line, which says what the line is about."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cartum_roapp import logs
from cartum_roapp.cli import output
from cartum_roapp.home import Home
from cartum_roapp.logs import JsonFormatter

Line = dict[str, Any]


def formatted(log: Callable[[logging.Logger], None]) -> str:
    """What is printed of one line."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.setFormatter(JsonFormatter())
    handler.emit = lambda record: lines.append(handler.format(record))  # type: ignore[method-assign]
    logger = logging.Logger("cartum_roapp.somewhere")
    logger.addHandler(handler)
    log(logger)
    (line,) = lines
    return line


def test_a_line_is_one_object_with_what_is_known() -> None:
    with logs.about(shop="my-shop", run="1b2c"):
        with logs.about(order="1042"):
            inner = formatted(lambda log: log.warning("%s is put off\nuntil later", "it"))
        outer = json.loads(formatted(lambda log: log.info("done")))
    assert "\n" not in inner
    line = json.loads(inner)
    assert line.pop("time").endswith("+00:00")
    assert list(line.items()) == [
        ("level", "WARNING"), ("logger", "cartum_roapp.somewhere"), ("message", "it is put off\nuntil later"),
        ("shop", "my-shop"), ("order", "1042"), ("run", "1b2c"),
    ]  # fmt: skip
    assert (outer["shop"], outer["run"]) == ("my-shop", "1b2c") and "order" not in outer
    assert json.loads(formatted(lambda log: log.info("alone"))).keys() == {"time", "level", "logger", "message"}


def test_what_a_foreign_text_or_an_error_holds_stays_within_its_line() -> None:
    line = formatted(lambda log: log.info("Ї \x1b[2J\u202e"))
    assert "Ї" in line and "\x1b" not in line and "\u202e" not in line
    assert json.loads(line)["message"] == "Ї \x1b[2J\u202e"

    def fails(log: logging.Logger) -> None:
        try:
            raise ValueError("why")
        except ValueError:
            log.exception("failed", extra={"flow_run_id": "1b2c", "parameters": {"password": "x"}})

    found = json.loads(formatted(fails))
    assert found["exc_info"].startswith("Traceback") and found["run"] == "1b2c"
    assert "parameters" not in found


def test_tasks_at_once_are_told_apart() -> None:
    async def deliver(order: str) -> Line:
        with logs.about(order=order):
            await asyncio.sleep(0)
            return dict(json.loads(formatted(lambda log: log.info("sent"))))

    async def both() -> list[Line]:
        return await asyncio.gather(deliver("1"), deliver("2"))

    assert [line["order"] for line in asyncio.run(both())] == ["1", "2"]


def test_what_commands_say_is_a_log_line_where_these_are_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output.say("Waiting …")
    monkeypatch.setenv(logs.VARIABLE, "json")
    output.say("No messages are sent.", "WARNING")
    plain, line = capsys.readouterr().err.splitlines()
    assert plain == "Waiting …"
    found = json.loads(line)
    assert (found["level"], found["logger"], found["message"]) == (
        "WARNING", "cartum_roapp.cli", "No messages are sent.",
    )  # fmt: skip


@pytest.mark.parametrize("format", ["json", "text"])
def test_a_supervisor_that_fails_says_why(tmp_path: Path, format: str) -> None:
    data = Home(tmp_path).create().postgres / "data"
    data.mkdir()
    (data / "something").touch()
    environment = {**os.environ, "CARTUM_ROAPP_HOME": str(tmp_path), logs.VARIABLE: format}
    environment.pop("CARTUM_ROAPP_DATABASE_URL", None)
    command = [sys.executable, "-m", "cartum_roapp.service", "postgres"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    if format == "json":
        found = json.loads(line)
        line = found["message"]
        assert (found["level"], found["logger"]) == ("ERROR", "cartum_roapp.service.supervisor")
    assert "holds something that is no database" in line
