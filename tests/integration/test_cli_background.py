"""What commands leave running in the background, and `cartum-roapp down`, which ends it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from installation import Installation
from processes import Process
from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import OperationalError

from cartum_roapp import service
from cartum_roapp.home import LOG_LIMIT, Home
from cartum_roapp.settings import Settings

pytestmark = pytest.mark.long

INDEX, SLUG = 6, "shop-7"

STAYING = """
import pathlib, sys
from cartum_roapp.cli.demo_sandbox import sandbox
with sandbox(5, pathlib.Path(sys.argv[1]), stay=True) as box:
    print(box.pid, flush=True)
"""


def test_a_pipe_ends_with_the_demo_though_its_sandbox_stays(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STAYING, str(tmp_path / "log")],
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    process = Process.of(int(done.stdout))
    assert process is not None and done.stderr == ""
    process.signal(signal.SIGTERM)
    assert process.wait(10)


def test_up_says_at_once_that_it_takes_a_while(installation: Installation) -> None:
    assert "Starting database, Prefect's server, worker and console …\n" in installation.shell.said


@pytest.fixture
def shop(installation: Installation) -> Iterator[Installation]:
    installation.connect(INDEX)
    yield installation
    installation.done("up")
    installation.done("shop", "delete", SLUG, "--yes", "--purge")


def test_down_in_the_middle_of_runs_says_what_becomes_of_them(shop: Installation) -> None:
    with shop.held_up(INDEX):
        typed = shop.shell.start("import", SLUG)
        named, running = {"any_": [f"{SLUG}: initial import"]}, {"type": {"any_": ["RUNNING"]}}
        (run,) = shop.become(lambda: shop.flow_runs(name=named, state=running), bool)
        shop.begun(run["id"])
        done = subprocess.run(
            [sys.executable, "-m", "cartum_roapp.cli", "down"],
            env=shop.shell.environment, capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        output, said = typed.communicate(timeout=20)
    assert done.stderr == "Stopping what runs …\n"
    stopped, *runs = done.stdout.splitlines()
    assert stopped == "Stopped: console, postgres, prefect-server, supervisor, worker."
    (line,) = runs
    assert line.startswith(f"{SLUG}: initial-import was broken off. What it stored and delivered stays; it goes on")
    assert (typed.returncode, json.loads(output)["error"]["kind"]) == (1, "interrupted")
    waited, why = said.splitlines()
    assert waited == f"{SLUG}: Importing the orders of two months …"
    assert why.startswith("`cartum-roapp down` stopped database and server in the middle of this run.")
    assert why.endswith("Fix: `cartum-roapp up`: the run goes on then")

    assert shop.command("down").document == {"stopped": [], "runs": []}
    assert_not_running(shop)
    shop.done("up")
    shop.completed(run["id"])


def assert_not_running(shop: Installation) -> None:
    ended = shop.command("import", SLUG)
    assert (ended.code, ended.said) == (1, "Not running. Start it: `cartum-roapp up`\n")
    assert ended.document["error"]["kind"] == "not-running"


def test_up_with_other_variables_leaves_what_runs_and_says_so(installation: Installation) -> None:
    worker = installation.worker()
    ended = installation.command("up", CARTUM_ROAPP_UNCLEAR_WAIT="31")
    assert ended.document["worker"] == "was running" and installation.worker() == worker
    assert "Warning: the running programs were started with different CARTUM_ROAPP_" in ended.said


def test_a_log_is_rotated_while_its_process_goes_on(home: Settings) -> None:
    place = Home(home.home)
    running = service.start(home, ["postgres"])
    log, old = place.log_path("postgres"), place.log_path("postgres").with_suffix(".log.1")
    with log.open("ab") as file:
        file.write(b"x" * LOG_LIMIT + b"\n")
    deadline = time.monotonic() + 60
    while log.stat().st_size > LOG_LIMIT:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert old.stat().st_size > LOG_LIMIT
    wrong = make_url(running.database_url.get_secret_value()).set(password="wrong")
    engine = create_engine(wrong)
    with pytest.raises(OperationalError):
        engine.connect()
    assert "password authentication failed" in log.read_text()
    assert log.stat().st_size < LOG_LIMIT
