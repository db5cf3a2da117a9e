"""The Prefect server comes back, at the same address; it never runs twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import httpx
import psycopg2
import pytest
from processes import Process, command_of

from cartum_roapp import service
from cartum_roapp.home import Home
from cartum_roapp.postgres import embedded
from cartum_roapp.service.patience import wait_until
from cartum_roapp.settings import Settings

pytestmark = pytest.mark.long  # the server starts three times

USER = """
import sys
from cartum_roapp import service
from cartum_roapp.settings import Settings
running = service.start(Settings(home=sys.argv[1], database_url=None), ["postgres", "prefect-server"])
print(running.prefect_api_url)
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A home whose server two commands started at once."""
    found = Settings(home=tmp_path_factory.mktemp("prefect-kills") / "home", database_url=None)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    users = [
        subprocess.Popen(
            [sys.executable, "-c", USER, str(found.home)], stdout=subprocess.PIPE, text=True, env=environment
        )
        for _ in range(2)
    ]
    said = {user.communicate(timeout=120)[0].strip() for user in users}
    assert said == {f"http://127.0.0.1:{service.state(found).prefect}/api"}
    yield found
    service.stop(found)


@pytest.fixture(autouse=True)
def no_prefect_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        monkeypatch.delenv(name)


def kill(config: Settings, *names: str) -> None:
    killed = [Process.named(config, name) for name in names]
    for process in killed:
        process.signal(signal.SIGKILL)
    assert all(process.wait(5) for process in killed)


def servers(config: Settings) -> list[int]:
    pids = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
    port = str(service.state(config).prefect)
    return [pid for pid in pids if command_of(pid)[-1:] == [port] and "deployments.server" in command_of(pid)]


def ready(config: Settings) -> bool:
    try:
        running = service.use(config)
        return httpx.get(f"{running.prefect_api_url}/ready", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def test_two_commands_at_once_share_one_server(config: Settings) -> None:
    assert ready(config)
    assert servers(config) == [service.state(config).pids["prefect-server"]]


def test_the_server_outlives_a_crash_of_its_database(config: Settings) -> None:
    before = service.state(config).pids["prefect-server"]
    kill(config, "postgres")
    assert wait_until(lambda: ready(config), 30, pause=0.1)
    assert service.state(config).pids["prefect-server"] == before


def test_a_killed_server_is_back_at_the_same_address(config: Settings) -> None:
    before = service.state(config)
    kill(config, "prefect-server")
    assert ready(config)
    after = service.state(config)
    assert after.prefect == before.prefect
    assert after.pids["prefect-server"] != before.pids["prefect-server"]
    assert servers(config) == [after.pids["prefect-server"]]


def test_stop_ends_a_server_that_a_killed_supervisor_left(config: Settings) -> None:
    assert ready(config)
    left = [Process.of(pid) for name, pid in service.state(config).pids.items() if name != "supervisor"]
    kill(config, "supervisor")
    assert service.stop(config) == ["postgres", "prefect-server"]
    assert not any(process and process.alive() for process in left)
    assert service.stop(config) == []


def test_a_first_migration_that_is_killed_begins_again(home: Settings) -> None:
    """Some of Prefect's migrations commit in their middle, and fail where they find what they have made."""
    user = subprocess.Popen([sys.executable, "-c", USER, str(home.home)], stdout=subprocess.PIPE, text=True)
    assert wait_until(lambda: _has_column(home, "flow_run", "state_name"), 60, pause=0.005)
    kill(home, "prefect-server")
    assert not _has_column(home, "flow_run", "job_variables"), "the migration had ended before the kill"
    user.communicate(timeout=120)
    assert user.returncode == 0
    assert ready(home)


def _has_column(config: Settings, table: str, column: str) -> bool:
    query = "SELECT 1 FROM information_schema.columns WHERE table_name = %s AND column_name = %s"
    try:
        with embedded.connected(Home(config.home).create(), embedded.PREFECT) as made, made.cursor() as cursor:
            cursor.execute(query, [table, column])
            return cursor.fetchone() is not None
    except (psycopg2.OperationalError, OSError):
        return False
