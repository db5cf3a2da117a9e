"""Gives a process the database and the Prefect server of its home, and stops all programs of a home."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from cartum_roapp.errors import BadConfig, Retryable
from cartum_roapp.home import LITTLE, Home, unusable
from cartum_roapp.postgres import socket_folder
from cartum_roapp.postgres.cluster import LOG as POSTGRES
from cartum_roapp.postgres.database_url import DatabaseUrl
from cartum_roapp.postgres.databases import check_ledger, prepare_prefect
from cartum_roapp.postgres.embedded import embedded_url
from cartum_roapp.service import console, requested, worker
from cartum_roapp.service.environment import prepare
from cartum_roapp.service.lock import FileLock, is_held
from cartum_roapp.service.named_server import check_named_server, named_api, ui_address
from cartum_roapp.service.patience import wait_until
from cartum_roapp.service.port import keep
from cartum_roapp.service.prefect_server import CLIENT_AUTH_STRING, OWN_API, api_url, auth_string, client_environment
from cartum_roapp.service.prefect_server import LOG as PREFECT
from cartum_roapp.service.state import SUPERVISOR_LOCK, State, kinds_of, variables_of
from cartum_roapp.service.supervisor import LOG, end_keeper, end_left_over, environment_of
from cartum_roapp.settings import PREFIX, Settings

# Seconds.
TIMEOUT = 180.0
_STOPPED_WITHIN = 120.0
_PAUSE = 0.02
_TRIES = 3
# The supervisors that this process has started, by their homes, so that none of them becomes a zombie.
_STARTED: dict[Path, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Running:
    """What `use` offers.

    database_url      for SQLAlchemy with psycopg2
    prefect_api_url   None without Prefect
    ui_url            None without Prefect, or if it is unknown
    env               the variables to set before prefect is imported
    login             of the UI; None if it asks for none
    other_variables   the worker has other settings or proxies than this process
    """

    home: Home
    database_url: SecretStr
    prefect_api_url: str | None = None
    ui_url: str | None = None
    env: dict[str, str] = field(default_factory=dict, repr=False)
    login: SecretStr | None = None
    other_variables: bool = False


def use(config: Settings, *, prefect: bool = True, with_worker: bool = False, timeout: float = TIMEOUT) -> Running:
    """Starts what is missing, which then runs until `stop`. To its end this process holds the port of our Prefect
    server (service/port.py).

    `prefect=False` starts only the database. If the environment names a server by PREFECT_API_URL, that is used instead
    of ours. `with_worker` starts worker and console as well. They get this process' variables unless they run already.
    From now on this process and its children reach the loopback without a proxy.

    Raises BadConfig for invalid settings, Retryable if it is not up within `timeout` seconds.
    """
    theirs = prepare_named(config, prefect=prefect)
    ours = prefect and not theirs
    home = Home(config.home).create()
    programs = _programs(config, ours, with_worker=with_worker)
    state, other_variables = State(), False
    if programs:
        client = _Client(config, home, programs, timeout)
        if with_worker:
            other_variables = client.stop_if_others()
        state = client.wait_until_ready()
    url = (DatabaseUrl.parse(config.database_url) if config.database_url else embedded_url(home)).sqlalchemy()
    if ours:
        api, own = api_url(state.prefect), auth_string(home, os.environ)
        env = {**client_environment(home, state.prefect), CLIENT_AUTH_STRING: own, OWN_API: api}
        return Running(home, url, api, api.removesuffix("/api"), env, SecretStr(own), other_variables)
    if prefect:
        env, known = {"PREFECT_API_URL": theirs}, os.environ.get(CLIENT_AUTH_STRING)
        login = SecretStr(known) if known else None
        return Running(home, url, theirs, ui_address(theirs), env, login, other_variables)
    return Running(home, url)


def prepare_named(config: Settings, *, prefect: bool = True) -> str:
    """Prepares the servers that the operator names, and this process' environment. Returns the API address of a Prefect
    server of the operator's own, "" without one. Raises BadConfig for what can't be used."""
    prepare(config.home)
    theirs = named_api(os.environ)
    if config.database_url:
        external = DatabaseUrl.parse(config.database_url)
        check_ledger(external)
        if prefect and not theirs:
            prepare_prefect(external, Home(config.home).encryption_path)
    if prefect and theirs:
        check_named_server(theirs, os.environ)
    return theirs


def want_all(config: Settings) -> None:
    """Prepares this process as `use` does, and makes the home's supervisor keep up all that belongs to it. Raises
    IntegrationError."""
    theirs = prepare_named(config)
    home = Home(config.home).create()
    requested.add(home, _requests(config, home, _programs(config, not theirs, with_worker=True)))


def _programs(config: Settings, server: bool, *, with_worker: bool) -> list[str]:
    database = [] if config.database_url else [POSTGRES]
    return [*database, *([PREFECT] if server else []), *([worker.LOG, console.LOG] if with_worker else [])]


def _requests(config: Settings, home: Home, programs: list[str]) -> dict[str, str]:
    """Returns the variables that each program is to have: worker and console those of this process."""
    own = variables_of(home, environment_of(home, config, os.environ))
    return {program: own if program in (worker.LOG, console.LOG) else "" for program in programs}


def state(config: Settings) -> State:
    """Returns what runs for this home now. Starts nothing and never waits."""
    return State.read(Home(config.home))


def ui_url(config: Settings) -> str | None:
    """Returns the address of Prefect's UI; None while our own server is down, or where the address is unknown. Starts
    nothing and never waits."""
    if theirs := named_api(os.environ):
        return ui_address(theirs)
    port = state(config).prefect
    return api_url(port).removesuffix("/api") if port else None


def hold_console(config: Settings) -> None:
    """Keeps other users from the console's port until this process ends, also while the console is down: a browser
    sends its login there. Idempotent."""
    if port := state(config).console:
        keep(port)


def revive(config: Settings) -> None:
    """Replaces a killed supervisor. The new one ends everything that the old one left running, including this process.
    Raises IntegrationError."""
    home = Home(config.home)
    if requested.contains(home, worker.LOG) and State.read(home).phase == "stopped":
        _spawn(config, home)


def stop(config: Settings) -> list[str]:
    """Stops everything that runs for this home, even if it is in use. Returns the names of what was stopped.

    Idempotent, also for several processes at once. Raises Retryable if it takes longer than two minutes.
    """
    home = Home(config.home)
    if not home.run.is_dir():
        return []
    end_keeper(home)
    now = State.read(home)
    requested.nothing(home)
    if not wait_until(lambda: _has_ended(home, now), _STOPPED_WITHIN):
        raise Retryable("The programs of this home are still stopping.", fix="Wait, then repeat.")
    with FileLock(home.run / SUPERVISOR_LOCK) as lock:
        # If another one has the lock, somebody started it after our call.
        left = end_left_over(home) if lock.acquire(timeout=1.0) else []
    return sorted({*now.pids, *left})


def _has_ended(home: Home, before: State) -> bool:
    """Returns whether there is no supervisor, or another one than before."""
    return not is_held(home.run / SUPERVISOR_LOCK) or bool(before.id and State.read(home).id not in ("", before.id))


class _Client:
    """Waits until these programs of the home answer. Starts the supervisor if there is none."""

    def __init__(self, config: Settings, home: Home, programs: list[str], timeout: float) -> None:
        self.config = config
        self.home = home
        self.programs = programs
        self.deadline = time.monotonic() + timeout
        self.known_problem = State.read(home).problem_at
        self.kinds = kinds_of(home, config)
        if PREFECT not in programs:
            del self.kinds[PREFECT]
        self.starts = 0

    def stop_if_others(self) -> bool:
        """Stops everything if the supervisor has other variables than this process, and no worker has them yet. Returns
        whether the worker's variables differ from ours."""
        now = State.read(self.home)
        own = environment_of(self.home, self.config, os.environ)
        if now.phase == "stopped" or now.variables == variables_of(self.home, own):
            return False
        if now.serves(worker.LOG):
            return True
        stop(self.config)
        return False

    def wait_until_ready(self) -> State:
        """Returns the state. The server's port is then held. Raises IntegrationError."""
        now = State.read(self.home)
        if self._offers(now):
            return now
        self._add_requests()
        while not self._offers(now := State.read(self.home)):
            if now.problem and now.problem_at != self.known_problem:
                raise now.error()
            if now.phase == "stopped":
                self._start()
            elif now.kinds and now.phase != "stopping" and not self._is_usable(now):
                raise BadConfig(
                    f"{self.home.root} is in use with another database, another version of Prefect or another auth "
                    "string.",
                    field=PREFIX + "DATABASE_URL",
                    fix="Run `cartum-roapp down` first, or set CARTUM_ROAPP_HOME to another directory.",
                )
            if time.monotonic() >= self.deadline:
                missing = ", ".join(sorted(set(self.programs) - set(now.ready))) or "the supervisor"
                raise Retryable(f"Not up yet: {missing}; see {self.home.logs}.", fix="Wait a little, then repeat.")
            time.sleep(_PAUSE)
        return now

    def _offers(self, now: State) -> bool:
        return (
            now.phase == "running"
            and self._is_usable(now)
            and all(now.serves(program) for program in self.programs)
            and all(requested.contains(self.home, program) for program in self.programs)
            and (POSTGRES not in self.programs or socket_folder.answers(self.home))
            and (PREFECT not in self.programs or keep(now.prefect))
        )

    def _is_usable(self, now: State) -> bool:
        """Returns whether the running servers match the settings of this process."""
        return self.kinds.items() <= now.kinds.items()

    def _start(self) -> None:
        started = _STARTED.get(self.home.root)
        if (started and started.poll() is None) or is_held(self.home.run / SUPERVISOR_LOCK):
            return
        if self.starts == _TRIES:
            self.home.require_space(LITTLE)
            log = self.home.log_path(LOG)
            raise Retryable(f"The supervisor ended. The reason is at the end of {log}.", fix="Repeat.")
        self.starts += 1
        self._add_requests()  # `down` was typed meanwhile, or the settings were wrong before
        _spawn(self.config, self.home)

    def _add_requests(self) -> None:
        requested.add(self.home, _requests(self.config, self.home, self.programs))


def _spawn(config: Settings, home: Home) -> None:
    """Starts a supervisor, which outlives this process. It ends at once if there is one. Raises IntegrationError."""
    command = [sys.executable, "-P", "-m", "cartum_roapp.service"]
    environment = environment_of(home, config, os.environ)
    if ended := _STARTED.get(home.root):
        ended.poll()
    try:
        with home.open_log(LOG) as log:
            _STARTED[home.root] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd="/",
                start_new_session=True,
            )  # fmt: skip
    except OSError as error:
        raise unusable(error) from None
