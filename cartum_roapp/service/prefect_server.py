"""Prefect's API server and UI, as a separate program on 127.0.0.1 (deployments/server.py)."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from cartum_roapp.errors import IntegrationError, Retryable
from cartum_roapp.home import Home
from cartum_roapp.postgres.database_url import DatabaseUrl
from cartum_roapp.postgres.databases import both
from cartum_roapp.service.child import Child
from cartum_roapp.service.port import HOST, own_port, status_of
from cartum_roapp.settings import PREFIX, Settings

LOG = "prefect-server"
AUTH_STRING = "PREFECT_SERVER_API_AUTH_STRING"
CLIENT_AUTH_STRING = "PREFECT_API_AUTH_STRING"
# The PREFECT_API_URL that we set, so that a child process does not take it for the user's choice.
OWN_API = PREFIX + "OWN_PREFECT_API_URL"
#: So long Prefect keeps runs, their tasks, logs and artifacts; and events, which take more room.
RUNS_KEPT, EVENTS_KEPT = timedelta(days=7), timedelta(days=1)

_TRIES = 3

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
        # By default Prefect keeps runs, their tasks, logs and artifacts for ever: 4 MB per shop and day.
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "true",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": f"{RUNS_KEPT.total_seconds():.0f}",
        "PREFECT_EVENTS_RETENTION_PERIOD": f"P{EVENTS_KEPT.days}D",
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


def _may_pass(name: str) -> bool:
    return not name.startswith(("PREFECT_", "CARTUM_ROAPP_")) or name.startswith(_OPEN)


class PrefectServer(Child):
    """The server of one home, whose port other users are kept from while the supervisor lives."""

    name = LOG

    def __init__(self, home: Home, environment: Mapping[str, str], config: Settings, needs: Sequence[Child]) -> None:
        super().__init__(home, environment, needs)
        self.config = config

    def command(self) -> list[str]:
        self.port = self.port or own_port(self.home, LOG)
        return [sys.executable, "-P", "-m", "deployments.server", str(self.port)]

    def variables(self) -> dict[str, str]:
        _, database = both(self.config)  # its socket may be in another folder than at the last start
        return server_environment(self.home, self.port, database, self.environment)

    def directory(self) -> Path:
        return self.home.prefect

    def answers(self) -> bool:
        """Returns whether it answers, which it does only after its migrations."""
        return status_of(self.port, "/api/health") == 200

    def failure(self) -> IntegrationError | None:
        if self.deaths < _TRIES:
            return None
        return Retryable(
            f"Prefect's server does not start. The reason is at the end of {self.home.log_path(LOG)}.",
            fix="Remove the cause it names, then repeat.",
        )


def forget_errors(home: Home) -> None:
    """Deletes Prefect's files of failed runs' errors that are older than an hour. Nobody reads them, and Prefect never
    deletes them."""
    an_hour_ago = time.time() - 3600
    for kept in (home.prefect / "storage").glob("*"):
        with suppress(OSError):
            if kept.stat().st_mtime < an_hour_ago:
                kept.unlink()
