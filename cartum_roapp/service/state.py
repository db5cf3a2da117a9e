"""The state of a home, which its keeper writes for its client processes: one small file without passwords."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from cartum_roapp.errors import BadConfig, IntegrationError, Retryable
from cartum_roapp.home import Home, write_atomically
from cartum_roapp.service.prefect_server import CLIENT_AUTH_STRING, OWN_API, api_url, auth_string, named_api
from cartum_roapp.service.process import Process
from cartum_roapp.settings import PREFIX, Settings

# Held exclusively by the keeper; shared by all client processes; shared by those that need the Prefect server.
KEEPER_LOCK, USERS_LOCK, PREFECT_LOCK = "keeper.lock", "users.lock", "prefect.lock"

Phase = Literal["starting", "running", "stopping", "stopped"]


@dataclass(frozen=True)
class State:
    """The state of a home.

    phase                   the keeper's
    database                the embedded database answers
    prefect                 the server's port on 127.0.0.1, 0 while it does not answer
    console                 the console's port on 127.0.0.1, 0 while it does not answer
    kind                    a fingerprint of what all client processes must have in common, see `kind_of`
    variables               a fingerprint of the variables that the worker gets, see `variables_of`
    pids                    process numbers by name (keeper, postgres, prefect-server, worker, console)
    problem                 the last failure; `problem_at` is its time
    dead_worker_started_at  when the worker that died last was started

    Times are in seconds since 1970.
    """

    phase: Phase = "stopped"
    database: bool = False
    prefect: int = 0
    console: int = 0
    kind: str = ""
    variables: str = ""
    pids: dict[str, int] = field(default_factory=dict)
    keeper: dict[str, object] = field(default_factory=dict)
    problem: dict[str, str] = field(default_factory=dict)
    problem_at: float = 0.0
    dead_worker_started_at: float = 0.0

    @classmethod
    def read(cls, home: Home) -> State:
        """Returns the present state: "stopped" if the keeper that wrote the file has ended."""
        try:
            data: dict[str, Any] = json.loads(_path(home).read_text())
            state = cls(**data)
        except (OSError, ValueError, TypeError):
            return cls()
        keeper = Process.load(state.keeper)
        if keeper is None or not keeper.alive():
            return cls(problem=state.problem, problem_at=state.problem_at)
        return state

    def serves(self, api: str | None) -> bool:
        """Returns whether this is the address of the home's own Prefect server."""
        return self.prefect != 0 and api == api_url(self.prefect)

    def write(self, home: Home) -> None:
        """Raises OSError."""
        write_atomically(_path(home), json.dumps(asdict(self)))

    def failed(self, error: IntegrationError) -> State:
        problem = {"kind": error.kind, "message": error.message, "field": error.field or "", "fix": error.fix or ""}
        return replace(self, problem=problem, problem_at=time.time())

    def error(self) -> IntegrationError:
        """Returns the problem as an error of the same kind as in the keeper."""
        kind = BadConfig if self.problem.get("kind") == BadConfig.kind else Retryable
        problem = self.problem
        return kind(problem.get("message", ""), field=problem.get("field") or None, fix=problem.get("fix") or None)


def kind_of(home: Home, config: Settings) -> str:
    """Returns a fingerprint of what two client processes of a home must have in common: database, Prefect's version and
    auth string."""
    external = config.database_url.get_secret_value() if config.database_url else ""
    return home.fingerprint(external, version("prefect"), auth_string(home, os.environ))


def variables_of(home: Home, environment: Mapping[str, str]) -> str:
    """Returns a fingerprint of what a worker reads from its environment: our settings, the proxies, and the Prefect
    server that the user names."""
    read = {name: value for name, value in environment.items() if name != OWN_API}
    ours = [f"{name}={read[name]}" for name in read if name.startswith(PREFIX) or name.lower().endswith("_proxy")]
    if api := named_api(environment):
        ours.append(f"{api} {environment.get(CLIENT_AUTH_STRING, '')}")
    return home.fingerprint(*sorted(ours))


def _path(home: Home) -> Path:
    return home.run / "state.json"
