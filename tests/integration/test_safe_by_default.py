"""What `up` starts lets nobody in who has not its login, and runs no code but this project's (design §2, P10)."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from installation import Installation
from prefect_api import variables
from pydantic import SecretStr

from cartum_roapp import service
from cartum_roapp.cli.up import warnings_of
from cartum_roapp.home import Home
from cartum_roapp.service import State
from cartum_roapp.service.brake import MOST
from cartum_roapp.service.http_connection import HttpConnection
from cartum_roapp.service.open_files import raise_limit

NOBODY = 65534

# Another user of the machine, who knows where everything is.
INTRUDER = """
import json, sys, urllib.error, urllib.request
api, home = sys.argv[1:]

def call(path, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **headers}
    try:
        return urllib.request.urlopen(urllib.request.Request(api + path, data, headers), timeout=20).read().decode()
    except urllib.error.HTTPError as error:
        return f"refused: {error.code}"

def read(path):
    try:
        return open(path).read()
    except OSError as error:
        return f"refused: {error.strerror}"

secrets = {"include_secrets": True}
client = {"Prefect-Csrf-Client": "intruder", "Prefect-Csrf-Token": "0" * 64}
tried = {
    "secrets": call("/block_documents/filter", secrets),
    "secrets with a token": call("/block_documents/filter", secrets, **client),
    "secrets with a guess": call("/block_documents/filter", secrets, Authorization="Basic YWRtaW46cGFzcw==", **client),
    "token": call("/csrf-token?client=intruder"),
    "runs": call("/flow_runs/filter", {}, **client),
    "deployment": call("/deployments/", {"name": "mine", "flow_id": "0" * 32, "entrypoint": "mine.py:main"}, **client),
    "settings": call("/admin/settings"),
    "login": read(home + "/keys/prefect-login"),
    "database": read(home + "/keys/superuser"),
    "state": read(home + "/run/state.json"),
    "log": read(home + "/logs/worker.log"),
}
json.dump(tried, sys.stdout)
"""

# Guesses on twelve connections at once over HTTP or a websocket, and then knows the login. Prints the answers.
GUESSER = """
import base64, encodings.idna, http.client, json, os, sys
from concurrent.futures.thread import ThreadPoolExecutor
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
user, port, path, login = int(sys.argv[1]), *sys.argv[2:]
os.setgroups([]), os.setgid(user), os.setuid(user)

def asked(logins):
    peer = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
    for one in logins:
        peer.request("GET", path, headers={"Authorization": "Basic " + base64.b64encode(one.encode()).decode()})
        answer = peer.getresponse()
        answer.read()
        yield answer.status

def entered(logins):
    for one in logins:
        with connect(f"ws://127.0.0.1:{port}{path}", subprotocols=["prefect"], proxy=None, open_timeout=60) as peer:
            try:
                peer.send(json.dumps({"type": "auth", "token": one}))
                yield 200 if "auth_success" in peer.recv(60) else 0
            except ConnectionClosed as end:
                yield 401 if end.rcvd and end.rcvd.reason else 429

ask = entered if path.endswith("/out") else asked
with ThreadPoolExecutor(12) as pool:
    wrong = list(pool.map(lambda k: list(ask(f"admin:{user} {k} {n}" for n in range(8))), range(12)))
print(json.dumps([sum(wrong, []), *ask([login])]))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
@pytest.mark.parametrize(
    ("program", "path"),
    [("console", "/shops"), ("prefect-server", "/api/admin/settings"), ("prefect-server", "/api/events/out")],
)
def test_who_guesses_is_refused_before_anything_is_compared_and_nobody_else(
    installation: Installation, program: str, path: str
) -> None:
    port, user = service.state(installation.config).ports[program], NOBODY - 1 - len(path)
    login = Home(installation.home).login()
    command = [sys.executable, "-c", GUESSER, str(user), str(port), path, login]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    wrong, right = json.loads(done.stdout)
    assert ({status: wrong.count(status) for status in set(wrong)}, right) == ({401: MOST, 429: 96 - MOST}, 429)
    address = f"http://127.0.0.1:{port}{'/shops' if program == 'console' else '/api/admin/settings'}"
    own = httpx.get(address, auth=httpx.BasicAuth(*login.split(":", 1)), timeout=60, trust_env=False)
    assert own.status_code == 200


def test_another_user_of_the_machine_gets_nothing(installation: Installation) -> None:
    """As another uid where this one may become it; else at least without the login."""
    root = os.geteuid() == 0
    other: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if root else {}
    api = variables(installation.config)["PREFECT_API_URL"]
    command = [sys.executable if not root else "/usr/bin/python3", "-I", "-c", INTRUDER, api, str(installation.home)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, cwd="/", env={}, **other)
    tried = json.loads(done.stdout)
    files = ("login", "database", "state", "log")
    got = {what: end for what, end in tried.items() if root or what not in files}
    assert {what: end for what, end in got.items() if not end.startswith("refused: ")} == {}
    assert len(got) == len(tried) - (0 if root else len(files))


@pytest.mark.parametrize(("program", "path"), [("prefect-server", "/api/health"), ("console", "/shops")])
def test_a_crowd_that_sends_half_a_request_shuts_nobody_out(
    installation: Installation, program: str, path: str
) -> None:
    """Without a login: more connections than systemd lets a program have."""
    raise_limit()
    port = service.state(installation.config).ports[program]
    with ExitStack() as stack:
        crowd = [stack.enter_context(socket.create_connection(("127.0.0.1", port), 60)) for _ in range(1_100)]
        for peer in crowd:
            with suppress(OSError):  # cut off already
                peer.sendall(b"GET /api/health HTTP/1.1\r\nHost: x\r\n")
        for peer in crowd[: -HttpConnection.most]:
            with suppress(ConnectionResetError):
                assert peer.recv(1) == b""
        login = httpx.BasicAuth(*Home(installation.home).login().split(":", 1))
        address = f"http://127.0.0.1:{port}{path}"
        assert httpx.get(address, auth=login, timeout=60, trust_env=False).status_code == 200


@pytest.mark.parametrize("name", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_a_request_for_another_host_is_refused(installation: Installation, name: str) -> None:
    """A name of the attacker's that leads to this machine makes a page of theirs the UI's own origin."""
    for path in ("/health", "/block_types/filter"):
        answer = installation.prefect.request("GET", path, headers={"Host": name})
        assert answer.status_code == 400
        assert "csrf" not in answer.text and "{" not in answer.text


def test_the_own_names_are_answered(installation: Installation) -> None:
    port = httpx.URL(variables(installation.config)["PREFECT_API_URL"]).port
    for name in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}"):
        assert installation.prefect.get("/health", headers={"Host": name}).json() is True


def test_only_pages_of_the_ui_may_read_answers(installation: Installation) -> None:
    port = httpx.URL(variables(installation.config)["PREFECT_API_URL"]).port
    allowed = {
        origin: installation.prefect.get("/health", headers={"Origin": origin}).headers.get(
            "access-control-allow-origin"
        )
        for origin in (f"http://127.0.0.1:{port}", f"http://localhost:{port}", "http://localhost:1", "null")
    }
    assert [origin for origin, answer in allowed.items() if answer] == list(allowed)[:2]


def test_the_policy_allows_no_picture_of_elsewhere(installation: Installation) -> None:
    policy = installation.prefect.get("/health").headers["content-security-policy"]
    (pictures,) = [part.split()[1:] for part in policy.split("; ") if part.startswith("img-src ")]
    here = httpx.URL(variables(installation.config)["PREFECT_API_URL"]).port
    assert set(pictures) == {"'self'", "data:", "blob:", f"http://127.0.0.1:{here}", f"http://localhost:{here}"}


def test_the_policy_allows_no_script_of_elsewhere(installation: Installation) -> None:
    policy = installation.prefect.get("/health").headers["content-security-policy"].split("; ")
    (scripts,) = [part.split()[1:] for part in policy if part.startswith("script-src ")]
    assert set(scripts) == {"'self'", "'unsafe-eval'"}
    assert "default-src 'self'" in policy


@pytest.mark.parametrize(
    "path", ["/docs", "/redoc", "/api/docs", "/api/redoc", "//api//docs/", "/docs/oauth2-redirect"]
)
def test_pages_that_load_scripts_of_elsewhere_are_off(installation: Installation, path: str) -> None:
    answer = httpx.get(variables(installation.config)["PREFECT_API_URL"].removesuffix("/api") + path)
    assert (answer.status_code, answer.text) == (404, "")


def test_code_of_somebody_else_is_not_even_loaded(installation: Installation, tmp_path: Path) -> None:
    """Also of one who has the login: the worker says what it refused."""
    trace = tmp_path / "it-ran"
    script = tmp_path / "mine.py"
    script.write_text(f"from prefect import flow\nopen({str(trace)!r}, 'w')\n@flow\ndef main(): ...\n")
    flow = installation.ask("/flows/", name="mine")["id"]
    ends = {}
    for name, entrypoint in (
        ("file", f"{script}:main"),
        ("module", "json.tool.main"),
        ("path", "flows/../mine.py:main"),
        ("deep", "flows.backfill.asyncio.run"),
    ):
        body = {"name": name, "flow_id": flow, "work_pool_name": "cartum-roapp", "entrypoint": entrypoint}
        installation.prefect.post("/deployments/", json={**body, "path": str(tmp_path)}).raise_for_status()
        (run,) = installation.ended(installation.start(f"mine/{name}"))
        ends[entrypoint] = (run["state_type"], run["state"]["message"])
    assert {state for state, _ in ends.values()} == {"CRASHED"}
    assert all("flows of cartum-roapp only" in said and entrypoint in said for entrypoint, (_, said) in ends.items())
    assert not trace.exists()


def test_the_login_is_in_no_log_and_no_state(installation: Installation) -> None:
    login = installation.done("ui")["login"]
    up = installation.done("up")
    assert Path(up["login_file"]).read_text() == login
    assert Path(up["login_file"]).stat().st_mode & 0o077 == 0
    password = login.partition(":")[2].encode()
    kept = [path for path in installation.home.rglob("*") if path.is_file() and "postgres" not in path.parts]
    assert [path.name for path in kept if password in path.read_bytes()] == ["prefect-login"]


def test_old_runs_and_events_are_cleared(installation: Installation) -> None:
    settings = installation.prefect.get("/admin/settings").raise_for_status().json()["server"]
    vacuum = settings["services"]["db_vacuum"]
    assert vacuum["enabled"] is True
    assert (vacuum["retention_period"], settings["events"]["retention_period"]) == ("P7D", "P1D")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/admin/database/clear", {"confirm": True}),
        ("POST", "/admin/database/drop", {"confirm": True}),
        ("PUT", "/admin/storage", {"default_result_storage_block_id": None}),
        ("DELETE", "/admin/storage", {}),
        ("PUT", "//admin/./storage", {}),
    ],
)
def test_the_server_is_read_only_as_a_whole(
    installation: Installation, method: str, path: str, body: dict[str, Any]
) -> None:
    """With the login too: it is Prefect's own API that would empty the database, or have files written elsewhere."""
    assert installation.prefect.request(method, path, json=body).status_code in (403, 404)
    assert installation.prefect.get("/admin/storage").json() == {"default_result_storage_block_id": None}
    assert installation.ask("/work_pools/filter")


@pytest.mark.parametrize("name", [".env", "prefect.toml", "pyproject.toml"])
def test_settings_in_the_folder_of_a_command_are_not_obeyed(
    installation: Installation, tmp_path: Path, name: str
) -> None:
    """Prefect reads them where it is imported, and the logging that they name may be any code."""
    trace = tmp_path / "it-ran"
    ran = f"handlers: {{mine: {{(): subprocess.getoutput, cmd: touch '{trace}'}}}}"
    (tmp_path / "logging.yml").write_text(f"version: 1\n{ran}\nroot: {{handlers: [mine]}}\n")
    setting = {
        ".env": f"PREFECT_LOGGING_SETTINGS_PATH={tmp_path / 'logging.yml'}",
        "prefect.toml": f'[logging]\nconfig_path = "{tmp_path / "logging.yml"}"',
        "pyproject.toml": f'[tool.prefect.logging]\nconfig_path = "{tmp_path / "logging.yml"}"',
    }
    (tmp_path / name).write_text(setting[name] + "\n")
    command = [sys.executable, "-m", "cartum_roapp.cli.app", "alerts", "--json"]
    environment = {**installation.shell.environment, "PYTHONSAFEPATH": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert not trace.exists()


def test_a_ledger_of_its_own_beside_a_shared_prefect_server_is_pointed_out(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables(installation.config).items():
        monkeypatch.setenv(name, value)
    shared = installation.config.model_copy(update={"database_url": SecretStr("postgresql://db.example/ledger")})
    said = "the ledger is in this home alone"
    (fix,) = [fix for what, fix in warnings_of(installation.config, State()) if said in what]
    assert "CARTUM_ROAPP_DATABASE_URL" in fix
    assert not [what for what, _ in warnings_of(shared, State()) if said in what]
