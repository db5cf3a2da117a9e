"""The Prefect server of a home: on PostgreSQL, with its UI, used through the variables that `use` hands out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import psycopg2
import pytest
from homes import superuser_url

from cartum_roapp import service
from cartum_roapp.errors import BadConfig
from cartum_roapp.home import Home
from cartum_roapp.service.named_server import console_login, is_open
from cartum_roapp.settings import Settings

CLIENT = """
import asyncio, json, sys
from prefect.blocks.system import Secret
from prefect.client.orchestration import get_client
from cartum_roapp import service
from cartum_roapp.settings import settings

async def main():
    await Secret(value="geheim").save("kept")
    async with get_client() as client:
        block = await client.read_block_document_by_name("kept", "secret", include_secrets=False)
        return str(client.api_url), (await Secret.load("kept")).get(), block.data

address, value, shown = asyncio.run(main())
again = service.use(settings())
pids = service.state(settings()).pids
json.dump([address, value, "geheim" in str(shown), again.prefect_api_url, pids], sys.stdout)
"""


@pytest.fixture(autouse=True)
def no_prefect_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("prefect") / "home"
    kept = home / "prefect" / "storage"
    kept.mkdir(parents=True)
    for name, hours in (("old", 2), ("new", 0)):
        (kept / name).touch()
        os.utime(kept / name, times=(then := time.time() - hours * 3600, then))
    return Settings(home=home, database_url=None)


@pytest.fixture(scope="module")
def running(config: Settings) -> Iterator[service.Running]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PREFECT_API_URL", raising=False)
        patch.setenv("PREFECT_UI_URL", "http://127.0.0.1:4200")
        found = service.start(config, ["postgres", "prefect-server"])
        yield found
    service.stop(config)


def test_the_ui_is_served_and_calls_its_own_server(running: service.Running) -> None:
    page = httpx.get(f"{running.ui_url}/", follow_redirects=True)
    assert page.status_code == 200
    script = re.search(r'src="(/[^"]+\.js)"', page.text)
    assert script
    assert httpx.get(f"{running.ui_url}{script[1]}").status_code == 200
    assert httpx.get(f"{running.ui_url}/ui-settings").json()["api_url"] == running.prefect_api_url
    assert httpx.get(f"{running.prefect_api_url}/health").json() is True


def test_a_process_with_these_variables_works_with_this_server(config: Settings, running: service.Running) -> None:
    environment = {**os.environ, **running.env, "CARTUM_ROAPP_HOME": str(config.home)}
    made = subprocess.run([sys.executable, "-c", CLIENT], check=False, capture_output=True, text=True, env=environment)
    assert made.returncode == 0, made.stderr
    address, value, shown, again, pids = json.loads(made.stdout)
    assert address.rstrip("/") == running.prefect_api_url
    assert (value, shown) == ("geheim", False)
    assert (again, pids) == (running.prefect_api_url, service.state(config).pids)


def test_prefect_keeps_everything_in_postgresql_and_in_the_home(config: Settings, running: service.Running) -> None:
    made = psycopg2.connect(superuser_url(config, "prefect").replace("+psycopg2", ""))
    with made, made.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM alembic_version), (SELECT count(*) FROM block_type) > 0")
        assert cursor.fetchone() == (1, True)
    made.close()
    assert not list(Home(config.home).prefect.glob("*.db"))
    assert running.env["PREFECT_HOME"] == str(Home(config.home).prefect)


@pytest.mark.usefixtures("running")
def test_errors_of_runs_that_failed_do_not_pile_up(config: Settings) -> None:
    assert [path.name for path in (config.home / "prefect" / "storage").iterdir()] == ["new"]


def test_it_listens_on_the_loopback_alone(config: Settings, running: service.Running) -> None:
    if not Path("/proc/net/tcp").exists():
        pytest.skip("reads Linux's list of sockets")
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    port = service.state(config).prefect
    assert {local[:8] for _, local, _, status, *_ in lines if status == "0A" and int(local[9:], 16) == port} == {
        "0100007F"
    }


def test_a_server_that_the_user_names_is_used_and_none_is_started(
    home: Settings, running: service.Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert running.login
    monkeypatch.setenv("PREFECT_API_URL", str(running.prefect_api_url))
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", running.login.get_secret_value())
    service.start(home, ["postgres"])
    found = service.use(home)
    assert (found.prefect_api_url, found.ui_url) == (running.prefect_api_url, running.ui_url)
    assert found.login == running.login, "the console asks for the same login"
    assert console_login(found.home, os.environ) == running.login.get_secret_value()
    assert sorted(service.state(home).pids) == ["postgres", "supervisor"]


@pytest.mark.parametrize(("login", "says"), [("", "asks for a login"), ("admin:guessed", "refuses this login")])
def test_without_its_login_the_variable_is_named(
    home: Settings, running: service.Running, monkeypatch: pytest.MonkeyPatch, login: str, says: str
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", str(running.prefect_api_url))
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", login)
    with pytest.raises(BadConfig, match=says) as caught:
        service.start(home)
    assert caught.value.field == "PREFECT_API_AUTH_STRING" and "guessed" not in str(caught.value)
    assert service.state(home).phase == "stopped"


def test_a_server_that_anybody_may_use_is_known(running: service.Running, tmp_path: Path) -> None:
    assert not is_open(str(running.prefect_api_url))
    open_to_all = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), open_to_all) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        assert is_open(f"http://127.0.0.1:{server.server_port}/api")
        server.shutdown()


def test_a_database_alone_starts_no_server(home: Settings) -> None:
    found = service.start(home, ["postgres"])
    assert (found.prefect_api_url, found.ui_url, found.env) == (None, None, {})
    assert sorted(service.state(home).pids) == ["postgres", "supervisor"]


def test_a_named_server_that_does_not_answer_is_bad_config(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    with pytest.raises(BadConfig, match="PREFECT_API_URL"):
        service.start(home)
    assert service.state(home).phase == "stopped"
