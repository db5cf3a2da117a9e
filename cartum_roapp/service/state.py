"""The state of a home, which its supervisor writes for all others: one small file without passwords."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import psutil

from cartum_roapp.draft import write_atomically
from cartum_roapp.errors import BadConfig, IntegrationError, Retryable
from cartum_roapp.home import Home
from cartum_roapp.service.lock import is_held
from cartum_roapp.service.named_server import named_api
from cartum_roapp.service.prefect_server import CLIENT_AUTH_STRING, OWN_API, auth_string
from cartum_roapp.service.prefect_server import LOG as PREFECT
from cartum_roapp.settings import PREFIX, Settings

#: The supervisor holds the first lock as long as it lives, the second one as soon as the state file is its own.
SUPERVISOR_LOCK, STATE_LOCK = "supervisor.lock", "state.lock"

Phase = Literal["starting", "running", "stopping", "stopped"]
#: A supervisor that was killed in one of these is replaced.
KEEPS_UP: tuple[Phase, ...] = ("starting", "running")


@dataclass(frozen=True)
class State:
    """The state of a home.

    id          of the supervisor; "" without one
    phase       the supervisor's; "running" once the database has answered
    foreground  the supervisor is a command that a person, or systemd, waits for
    pids        process numbers by name (supervisor, postgres, prefect-server, worker, console)
    ready       the names of those that answer
    silent      since when those that had answered do not any more, in seconds since 1970, by name
    ports       where they listen on 127.0.0.1, by name
    database    a fingerprint of the database, see `database_of`
    variables   a fingerprint of what the programs were started with, see `variables_of`
    problem     the last failure of a program; `problem_at` is its time in seconds since 1970
    """

    id: str = ""
    phase: Phase = "stopped"
    foreground: bool = False
    pids: dict[str, int] = field(default_factory=dict)
    ready: tuple[str, ...] = ()
    silent: dict[str, float] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    database: str = ""
    variables: str = ""
    problem: dict[str, str] = field(default_factory=dict)
    problem_at: float = 0.0

    @classmethod
    def read(cls, home: Home) -> State:
        """Returns the present state: "stopped" without a supervisor."""
        alive, state = is_held(home.run / STATE_LOCK), cls.last(home)
        if not state.id:
            return cls(phase="starting" if alive else "stopped")
        return state if alive else cls(problem=state.problem, problem_at=state.problem_at)

    @classmethod
    def last(cls, home: Home) -> State:
        """Returns what a supervisor wrote last, which may be dead; an empty state if there is nothing, or of another
        version."""
        try:
            data: dict[str, Any] = json.loads(_path(home).read_text())
            return cls(**{**data, "ready": tuple(data["ready"])})
        except (OSError, ValueError, TypeError, KeyError):
            return cls()

    @property
    def prefect(self) -> int:
        """The port of the home's own Prefect server, 0 while it does not answer."""
        return self._port(PREFECT)

    @property
    def console(self) -> int:
        """The port of the console, 0 while it does not answer."""
        return self._port("console")

    def _port(self, name: str) -> int:
        return self.ports.get(name, 0) if name in self.ready else 0

    def serves(self, program: str) -> bool:
        """Returns whether it answers and its process is alive: the state may still list one that was just killed."""
        with suppress(psutil.NoSuchProcess):
            return program in self.ready and psutil.Process(self.pids[program]).status() != psutil.STATUS_ZOMBIE
        return False

    def silence(self) -> dict[str, str]:
        """Returns what to say of those that do not answer, by name."""
        since = {name: datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S UTC") for name, at in self.silent.items()}
        return {name: f"does not answer since {time}" for name, time in since.items()}

    def write(self, home: Home) -> None:
        """Raises OSError."""
        write_atomically(_path(home), json.dumps(asdict(self)))

    @staticmethod
    def forget(home: Home) -> None:
        """Deletes the state that a supervisor left."""
        _path(home).unlink(missing_ok=True)

    def failed(self, error: IntegrationError, program: str) -> State:
        problem = {"program": program, "kind": error.kind, "message": error.message, "field": error.field or "",
                   "fix": error.fix or ""}  # fmt: skip
        return replace(self, problem=problem, problem_at=time.time())

    def error(self) -> IntegrationError:
        """Returns the problem as an error of the same kind as in the supervisor."""
        kind = BadConfig if self.problem.get("kind") == BadConfig.kind else Retryable
        problem = self.problem
        return kind(problem.get("message", ""), field=problem.get("field") or None, fix=problem.get("fix") or None)


def database_of(home: Home, config: Settings) -> str:
    """Returns a fingerprint of the database that the operator names; of no name for the home's own."""
    return home.fingerprint(config.database_url.get_secret_value() if config.database_url else "")


def variables_of(home: Home, environment: Mapping[str, str]) -> str:
    """Returns a fingerprint of the versions, and of what a program reads from its environment: our settings, the
    proxies, the Prefect server that the user names, and the auth string."""
    read = {name: value for name, value in environment.items() if name != OWN_API}
    ours = [f"{name}={read[name]}" for name in read if name.startswith(PREFIX) or name.lower().endswith("_proxy")]
    if api := named_api(environment):
        ours.append(f"{api} {environment.get(CLIENT_AUTH_STRING, '')}")
    return home.fingerprint(*sorted(ours), *map(version, ("cartum-roapp", "prefect")), auth_string(home, environment))


def _path(home: Home) -> Path:
    return home.run / "state.json"
