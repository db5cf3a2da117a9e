"""What commands leave running in the background, and `cartum-roapp down`, which ends it."""

from __future__ import annotations

import json
import os
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


def test_a_pipe_ends_with_the_command_though_the_database_stays(home: Settings) -> None:
    Home(home.home).create()
    environment = {**os.environ, "CARTUM_ROAPP_HOME": str(home.home)}
    done = subprocess.run(
        [sys.executable, "-m", "cartum_roapp.cli", "status"],
        env=environment, capture_output=True, text=True, check=True, timeout=90,
    )  # fmt: skip
    assert "Worker: stopped." in done.stdout
    assert done.stderr == "Waiting for the database …\nWhat was started keeps running until `cartum-roapp down`.\n"
    assert service.state(home).phase == "running"


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
        of_worker = shop.start(f"initial-import/{SLUG}")
        shop.begun(of_worker)
        done = subprocess.run(
            [sys.executable, "-m", "cartum_roapp.cli", "down"],
            env=shop.shell.environment, capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        output, said = typed.communicate(timeout=20)
    assert done.stderr == "Stopping what runs …\n"
    stopped, *runs = done.stdout.splitlines()
    assert stopped == "Stopped: console, postgres, prefect-server, supervisor, worker."
    assert len(runs) == 2
    for line in runs:
        assert line.startswith(f"{SLUG}: initial-import was broken off. What it stored and delivered stays; it goes on")
    assert (typed.returncode, json.loads(output)["error"]["kind"]) == (1, "interrupted")
    waited, why = said.splitlines()
    assert waited == f"{SLUG}: Importing the orders of two months …"
    assert why.startswith("`cartum-roapp down` stopped database and server in the middle of this run.")
    assert why.endswith("Fix: repeat the command; it goes on from there")

    assert shop.command("down").document == {"stopped": [], "runs": []}
    shop.done("up")
    assert shop.done("import", SLUG)["held"] == 0
    assert shop.flow_run(run["id"])["state_type"] == "CRASHED"


def test_down_ends_a_backfill_of_several_shops(shop: Installation) -> None:
    """The second shop starts nothing again."""
    other = INDEX + 1
    shop.connect(other)
    shop.done("import", SLUG)
    try:
        with shop.held_up(INDEX):
            typed = shop.shell.start("backfill", SLUG, f"shop-{other + 1}", "--ids", "1001")
            tags, running = {"all_": [f"shop:{SLUG}"]}, {"type": {"any_": ["RUNNING"]}}
            (run,) = shop.become(lambda: shop.flow_runs(tags=tags, state=running), bool)
            shop.begun(run["id"])
            shop.done("down")
            _, said = typed.communicate(timeout=60)
        assert typed.returncode == 1
        assert said.count("stopped database and server in the middle of this run") == 1
        assert shop.done("down") == {"stopped": [], "runs": []}
    finally:
        shop.done("up")
        shop.done("shop", "delete", f"shop-{other + 1}", "--yes", "--purge")


def test_up_with_other_variables_leaves_the_workers_to_it(installation: Installation) -> None:
    requested = Home(installation.home).run / "requested"
    worker, before = installation.worker(), (requested / "worker").read_text()
    (requested / "console").unlink()
    assert installation.done("up", CARTUM_ROAPP_UNCLEAR_WAIT="31")["worker"] == "was running"
    assert (installation.worker(), (requested / "worker").read_text()) == (worker, before)


def test_a_typed_run_that_down_breaks_off_says_so_in_the_ui(shop: Installation) -> None:
    """`down` as a typed run sees it, while the server still takes its word."""
    state = Home(shop.home).run / "state.json"
    with shop.held_up(INDEX):
        typed = shop.shell.start("import", SLUG)
        named, running = {"any_": [f"{SLUG}: initial import"]}, {"type": {"any_": ["RUNNING"]}}
        (run,) = shop.become(lambda: shop.flow_runs(name=named, state=running), bool)
        shop.begun(run["id"])
        kept = state.read_text()
        state.write_text(json.dumps({**json.loads(kept), "phase": "stopping"}))
        try:
            output, _ = typed.communicate(timeout=60)
        finally:
            state.write_text(kept)
    error, ended = json.loads(output)["error"], shop.flow_run(run["id"])
    assert error["kind"] == "interrupted"
    assert (ended["state_name"], ended["state"]["message"]) == ("Crashed", error["message"])


def test_a_log_is_rotated_while_its_process_goes_on(home: Settings) -> None:
    place = Home(home.home)
    running = service.use(home, prefect=False)
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
