"""Prefect's API server and UI, as a separate program on 127.0.0.1 (deployments/server.py).

It is started in two steps. To import Prefect takes about four seconds and needs no database, so this happens while
PostgreSQL starts. A line on its input then lets it continue.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from importlib.metadata import version
from subprocess import PIPE
from typing import IO

from cartum_roapp.errors import BadConfig, IntegrationError, Retryable
from cartum_roapp.home import Home, write_atomically
from cartum_roapp.service.database_url import DatabaseUrl
from cartum_roapp.service.port import HOST, Held, held_port, hold
from cartum_roapp.service.process import Process, spawn
from cartum_roapp.settings import PREFIX

LOG = "prefect-server"
AUTH_STRING = "PREFECT_SERVER_API_AUTH_STRING"
CLIENT_AUTH_STRING = "PREFECT_API_AUTH_STRING"
# The PREFECT_API_URL that we set, so that a child process does not take it for the user's choice.
OWN_API = PREFIX + "OWN_PREFECT_API_URL"
#: So long Prefect keeps runs, their tasks, logs and artifacts.
RUNS_KEPT = timedelta(days=14)

# Prefixes of the PREFECT_ variables by which an operator may configure the server. Others would only disturb it.
_OPEN = (
    "PREFECT_SERVER_API_CORS_",
    "PREFECT_SERVER_API_CSRF_",
    "PREFECT_SERVER_CORS_",
    "PREFECT_SERVER_CSRF_",
    "PREFECT_SERVER_UI_API_URL",
    "PREFECT_UI_API_URL",
    "PREFECT_SERVER_SERVICES_",
    "PREFECT_SERVER_EVENTS_",
    "PREFECT_EVENTS_",
    "PREFECT_SERVER_DATABASE_SQLALCHEMY_",
    "PREFECT_SERVER_DATABASE_TIMEOUT",
    "PREFECT_SERVER_LOGGING_",
)


def server_environment(home: Home, port: int, database: DatabaseUrl, inherited: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment of the server. Of the caller's PREFECT_ variables it takes only those that may be set."""
    kept = {name: value for name, value in inherited.items() if _may_pass(name)}
    return {
        **_defaults(port),
        **kept,
        **client_environment(home, port),
        AUTH_STRING: auth_string(home, inherited),
        "PREFECT_SERVER_API_HOST": HOST,
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(home.prefect / "ui"),
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database.asyncpg().get_secret_value(),
        **database.asyncpg_environment(),
        "PREFECT_SERVER_ENCRYPTION_KEY": home.encryption_key(),
        "PREFECT_SERVER_LOGGING_LEVEL": inherited.get("PREFECT_SERVER_LOGGING_LEVEL", "WARNING"),
        "PREFECT_LOGGING_LEVEL": "WARNING",
    }


def _defaults(port: int) -> dict[str, str]:
    """Returns defaults that an operator may override. Each has the name that Prefect looks up last."""
    return {
        # Otherwise the UI calls port 4200, whatever the server's port is.
        "PREFECT_UI_API_URL": api_url(port),
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"http://{HOST}:{port},http://localhost:{port}",
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
        # By default Prefect keeps runs, their tasks, logs and artifacts for ever: 13 MB per shop and day.
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "true",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": f"{RUNS_KEPT.total_seconds():.0f}",
        "PREFECT_EVENTS_RETENTION_PERIOD": "P2D",
        # By default events have the tags that a run had five minutes ago. A run that is started in the UI gets its
        # shop's when it has begun, and a shop's alerts are matched by them.
        "PREFECT_SERVER_EVENTS_RELATED_RESOURCE_CACHE_TTL": "PT0S",
    }


def client_environment(home: Home, port: int) -> dict[str, str]:
    """Returns what a process needs in its environment before it imports prefect, to use this home's server."""
    return {
        "PREFECT_API_URL": api_url(port),
        "PREFECT_HOME": str(home.prefect),
        "PREFECT_PROFILES_PATH": str(home.prefect / "profiles.toml"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        "DO_NOT_TRACK": "1",
    }


def api_url(port: int) -> str:
    return f"http://{HOST}:{port}/api"


def auth_string(home: Home, environment: Mapping[str, str]) -> str:
    """Returns the server's login, as `user:password`: the operator's, otherwise this home's."""
    return environment.get(AUTH_STRING) or home.login()


def named_api(environment: Mapping[str, str]) -> str:
    """Returns the API address of a Prefect server of the operator's own; "" without one."""
    named = environment.get("PREFECT_API_URL", "")
    return named if named != environment.get(OWN_API) else ""


def console_login(home: Home, environment: Mapping[str, str]) -> str:
    """Returns the console's login, which is Prefect's; this home's where a server of the operator's own has none."""
    theirs = environment.get(CLIENT_AUTH_STRING) if named_api(environment) else None
    return theirs or auth_string(home, environment)


def _may_pass(name: str) -> bool:
    return not name.startswith(("PREFECT_", "CARTUM_ROAPP_")) or name.startswith(_OPEN)


class PrefectServer:
    """The server of one home. Only the holder of the home's keeper lock may start or stop it.

    Its port is held from before anybody hears of it until this object's end, so that no other user listens there while
    the server is down.
    """

    def __init__(self, home: Home, inherited: Mapping[str, str]) -> None:
        self.home = home
        self.inherited = inherited
        self.port = 0
        self.process: Process | None = None
        self._held: Held | None = None
        self._input: IO[bytes] | None = None
        self._forgot_at = 0.0
        self._record = home.run / "prefect-server.json"

    def alive(self) -> bool:
        return self.process is not None and self.process.alive()

    def adopt(self, database: DatabaseUrl) -> bool:
        """Takes over a server that an earlier keeper left if it answers and is of the same kind; otherwise stops it.
        Returns whether it took one over."""
        kind = self._find_left_over()
        if kind is None:
            return False
        self._held = hold(self.port)
        if self._held and kind == self._kind(database) and self.healthy():
            return True
        self.stop()
        return False

    def end_left_over(self) -> bool:
        """Stops a server that a killed keeper left. Returns False if there is none."""
        return self._find_left_over() is not None and self.stop()

    def _find_left_over(self) -> str | None:
        try:
            record = json.loads(self._record.read_text())
            process, port, kind = Process.load(record["process"]), int(record["port"]), str(record["kind"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if process is None or not process.alive():
            return None
        self.process, self.port = process, port
        return kind

    def warm_up(self, database: DatabaseUrl) -> None:
        """Starts the program, which then waits before it uses the database. Raises OSError."""
        if self._held is None:
            self.port, self._held = held_port(self.home, LOG)
        environment = server_environment(self.home, self.port, database, self.inherited)
        command = [sys.executable, "-P", "-m", "deployments.server", str(self.port)]
        with self.home.open_log(LOG) as log:
            self.process, self._input = spawn(command, log=log, env=environment, cwd=self.home.prefect, stdin=PIPE)
        record = {"process": self.process.dump(), "port": self.port, "kind": self._kind(database)}
        write_atomically(self._record, json.dumps(record))

    def go(self) -> None:
        """Lets the program continue: it migrates its database and then answers."""
        if self._input is not None:
            try:
                self._input.write(b"go\n")
                self._input.close()
            except OSError:
                pass  # it ended: `alive` is False
            self._input = None

    def healthy(self) -> bool:
        """Returns whether it answers, which it does only after its migrations."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=5)
        try:
            connection.request("GET", "/api/health")
            return connection.getresponse().status == 200 and self.alive()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self) -> bool:
        """Stops it by SIGTERM, after 8 s by SIGKILL. Returns False if none ran."""
        ran = self.alive()
        if self._input is not None:
            self._input.close()
            self._input = None
        if self.process is not None:
            self.process.stop((signal.SIGTERM, 8.0))
        self.process = None
        self._record.unlink(missing_ok=True)
        return ran

    def forget_errors(self) -> None:
        """Deletes Prefect's files of failed runs' errors that are older than an hour, once an hour. Nobody reads them,
        and Prefect never deletes them."""
        an_hour_ago = time.time() - 3600
        if self._forgot_at < an_hour_ago:
            self._forgot_at = time.time()
            for kept in (self.home.prefect / "storage").glob("*"):
                with suppress(OSError):
                    if kept.stat().st_mtime < an_hour_ago:
                        kept.unlink()

    def failure(self) -> IntegrationError:
        return Retryable(
            f"Prefect's server does not start. The reason is at the end of {self.home.log_path(LOG)}.",
            fix="Remove the cause it names, then repeat.",
        )

    def _kind(self, database: DatabaseUrl) -> str:
        """Returns a fingerprint of everything that must be equal for a running server to be usable. It discloses
        nothing of it."""
        parts = (
            version("prefect"),
            sys.prefix,
            database.asyncpg().get_secret_value(),
            auth_string(self.home, self.inherited),
            *_server_settings(self.inherited),
        )
        return self.home.fingerprint(*parts)


def _server_settings(environment: Mapping[str, str]) -> list[str]:
    passed = (item for item in environment.items() if item[0].startswith("PREFECT_") and _may_pass(item[0]))
    return sorted(f"{name}={value}" for name, value in passed)


def check_named_server(api: str, environment: Mapping[str, str]) -> None:
    """Raises BadConfig if nothing answers at the API address that the user names, or if it refuses the login that this
    environment has for it."""
    login = environment.get(CLIENT_AUTH_STRING, "")
    key = environment.get("PREFECT_API_KEY", "")
    basic = f"Basic {base64.b64encode(login.encode()).decode()}" if login else ""
    if _asks_for_login(api, f"Bearer {key}" if key else basic):
        raise BadConfig(
            "The Prefect server at PREFECT_API_URL " + ("refuses this login." if login or key else "asks for a login."),
            field=CLIENT_AUTH_STRING,
            fix=f"Set {CLIENT_AUTH_STRING} to what that server has as {AUTH_STRING}, in the form user:password.",
        )


def is_open(api: str) -> bool:
    """Returns whether the server answers without a login. Raises BadConfig if nothing answers."""
    return not _asks_for_login(api, "")


def _asks_for_login(api: str, authorization: str) -> bool:
    headers = {"Authorization": authorization} if authorization else {}
    try:
        request = urllib.request.Request(f"{api.rstrip('/')}/admin/version", headers=headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - the user's own address
            kind = answer.headers.get_content_type()
    except urllib.error.HTTPError as error:
        return error.code in (401, 403)
    except (OSError, ValueError, http.client.HTTPException):
        raise BadConfig(
            "No Prefect server answers at PREFECT_API_URL.",
            field="PREFECT_API_URL",
            fix="Start that server, correct the address, or unset PREFECT_API_URL to use a server of this home.",
        ) from None
    if kind != "application/json":
        raise BadConfig(
            "What answers at PREFECT_API_URL is not Prefect's API.",
            field="PREFECT_API_URL",
            fix="Write the address with /api at its end, such as https://prefect.example.com/api.",
        )
    return False


def ui_address(api: str) -> str | None:
    """Returns the UI's address for an API of the user's own: PREFECT_UI_URL, otherwise the API's address without /api;
    None if it is unknown."""
    named = os.environ.get("PREFECT_UI_URL", "")
    return named or (api.rstrip("/").removesuffix("/api") if api.rstrip("/").endswith("/api") else None)
