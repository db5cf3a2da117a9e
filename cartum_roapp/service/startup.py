"""How the programs of a home are started and stopped, and how other processes meet them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from pydantic import SecretStr

from cartum_roapp.errors import BadConfig, IntegrationError, Retryable
from cartum_roapp.home import LITTLE, Home, unusable
from cartum_roapp.postgres import socket_folder
from cartum_roapp.postgres.cluster import LOG as POSTGRES
from cartum_roapp.postgres.database_url import DatabaseUrl
from cartum_roapp.postgres.databases import check_ledger, prepare_prefect
from cartum_roapp.postgres.embedded import embedded_url
from cartum_roapp.service.child import MARK
from cartum_roapp.service.environment import prepare
from cartum_roapp.service.lock import FileLock, is_held
from cartum_roapp.service.named_server import check_named_server, named_api, ui_address
from cartum_roapp.service.patience import wait_until
from cartum_roapp.service.port import keep
from cartum_roapp.service.postgres import Postgres
from cartum_roapp.service.prefect_server import CLIENT_AUTH_STRING, OWN_API, api_url, auth_string, client_environment
from cartum_roapp.service.prefect_server import LOG as PREFECT
from cartum_roapp.service.state import KEEPS_UP, SUPERVISOR_LOCK, State, database_of, variables_of
from cartum_roapp.service.supervisor import LOG, REVIVE, end_left_over, environment_of, programs_of
from cartum_roapp.settings import PREFIX, Settings

#: Seconds.
TIMEOUT = 180.0
_STOPPED_WITHIN = 120.0
_REVIVED_WITHIN = 10.0
_PAUSE, _LOOK = 0.02, 1.0
_TRIES = 3
#: Held beside the supervisor's by a process that has the database alone.
ALONE_LOCK = "alone.lock"
# The supervisors that this process has started, by their homes, so that none of them becomes a zombie.
_STARTED: dict[Path, subprocess.Popen[bytes]] = {}
# The homes of which this process has the database alone.
_ALONE: set[Path] = set()


class NotRunning(Retryable):
    """Nothing is started by itself."""

    kind = "not-running"

    def __init__(self) -> None:
        super().__init__("Not running. Start it: `cartum-roapp up`")


@dataclass(frozen=True)
class Running:
    """What a process gets of its home.

    database_url      for SQLAlchemy with psycopg2
    prefect_api_url   None without Prefect
    ui_url            None without Prefect, or if it is unknown
    env               the variables to set before prefect is imported
    login             of the UI; None if it asks for none
    """

    home: Home
    database_url: SecretStr
    prefect_api_url: str | None = None
    ui_url: str | None = None
    env: dict[str, str] = field(default_factory=dict, repr=False)
    login: SecretStr | None = None


def use(config: Settings, *, prefect: bool = True, timeout: float = TIMEOUT) -> Running:
    """Returns database and Prefect server, once they answer. To its end this process holds the port of our Prefect
    server (service/port.py), and with its children reaches the loopback without a proxy.

    `prefect=False` needs the database only. If the environment names a server by PREFECT_API_URL, that is used instead
    of ours. Raises NotRunning where the home's programs are down, BadConfig for invalid settings, Retryable if it is
    not up within `timeout` seconds."""
    theirs = prepare_named(config, prefect=prefect)
    home = Home(config.home)
    programs = [*([] if config.database_url else [POSTGRES]), *([PREFECT] if prefect and not theirs else [])]
    if programs and not is_up(config):
        raise NotRunning
    return _running(config, home, _wait_until_ready(config, home, programs, timeout), prefect=prefect)


def start(config: Settings, programs: Sequence[str] | None = None, *, timeout: float = TIMEOUT) -> Running:
    """Starts all that belongs to the home, or these programs, which then run until `stop`; what runs already is left
    as it is. Returns as `use`, once all of it answers. Raises IntegrationError."""
    prepare_named(config, prefect=programs is None or PREFECT in programs)
    home = Home(config.home).create()
    wanted = programs_of(config) if programs is None else list(programs)
    state = _wait_until_ready(config, home, wanted, timeout, starts=True)
    return _running(config, home, state, prefect=programs is None or PREFECT in programs)


@contextmanager
def database(config: Settings) -> Iterator[SecretStr]:
    """Yields the address of the home's database, SQLAlchemy's. Where nothing runs here, the database alone runs inside;
    `start` of another process waits for the end. May be nested. Raises IntegrationError."""
    home = Home(config.home)
    if home.root in _ALONE:
        yield embedded_url(home).sqlalchemy()
        return
    if config.database_url or is_up(config):
        yield use(config, prefect=False).database_url
        return
    home.create()
    with FileLock(home.run / ALONE_LOCK) as mine, FileLock(home.run / SUPERVISOR_LOCK) as lock:
        if not (mine.acquire(timeout=_STOPPED_WITHIN) and lock.acquire(timeout=_STOPPED_WITHIN)):
            raise Retryable("Another command is at work here.", fix="Wait until it has ended, then repeat.")
        end_left_over(home)
        State.forget(home)
        alone, deadline = Postgres(home, environment_of(home, config)), time.monotonic() + TIMEOUT
        try:
            while not alone.ready:
                alone.check()
                if time.monotonic() >= deadline:
                    raise Retryable(f"Not up yet: the database; see {home.logs}.", fix="Wait a little, then repeat.")
                time.sleep(_PAUSE)
            _ALONE.add(home.root)
            yield embedded_url(home).sqlalchemy()
        finally:
            _ALONE.discard(home.root)
            alone.stop()


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


def _running(config: Settings, home: Home, state: State, *, prefect: bool) -> Running:
    url = (DatabaseUrl.parse(config.database_url) if config.database_url else embedded_url(home)).sqlalchemy()
    if not prefect:
        return Running(home, url)
    if theirs := named_api(os.environ):
        known = os.environ.get(CLIENT_AUTH_STRING)
        login = SecretStr(known) if known else None
        return Running(home, url, theirs, ui_address(theirs), {"PREFECT_API_URL": theirs}, login)
    api, own = api_url(state.prefect), auth_string(home, os.environ)
    env = {**client_environment(home, state.prefect), CLIENT_AUTH_STRING: own, OWN_API: api}
    return Running(home, url, api, api.removesuffix("/api"), env, SecretStr(own))


def _wait_until_ready(
    config: Settings, home: Home, programs: Sequence[str], timeout: float, *, starts: bool = False
) -> State:
    """Returns the state once these programs answer. Starts a supervisor if there is none and it `starts`."""
    known, tries, deadline = State.read(home).problem_at, 0, time.monotonic() + timeout
    while programs:
        now = State.read(home)
        if now.phase == "running" and PREFECT in programs and now.database != database_of(home, config):
            raise BadConfig(
                f"{home.root} is in use with another database.",
                field=PREFIX + "DATABASE_URL",
                fix="Run `cartum-roapp down` first, or set CARTUM_ROAPP_HOME to another directory.",
            )
        if _answer(home, now, programs):
            return now
        if now.problem_at != known and now.problem.get("program") in programs:
            raise now.error()
        if is_alone(config):
            deadline = time.monotonic() + timeout
        elif now.phase == "stopped" and starts and not _is_starting(home):
            if tries == _TRIES:
                fix = f"The reason is at the end of {home.log_path(LOG)}."
                raise Retryable("The supervisor ended.", fix=fix)
            home.require_disk(LITTLE)
            spawn(config, home, programs)
            tries += 1
        elif not starts and now.phase in ("stopping", "stopped") and not is_up(config):
            raise NotRunning
        if time.monotonic() >= deadline:
            missing = ", ".join(sorted(set(programs) - set(now.ready))) or "the supervisor"
            raise Retryable(f"Not up yet: {missing}; see {home.logs}.", fix="Wait a little, then repeat.")
        time.sleep(_PAUSE)
    return State.read(home)


def _answer(home: Home, now: State, programs: Sequence[str]) -> bool:
    return (
        now.phase == "running"
        and all(now.serves(program) for program in programs)
        and (POSTGRES not in programs or socket_folder.answers(home))
        and (PREFECT not in programs or keep(now.prefect))
    )


def _is_starting(home: Home) -> bool:
    started = _STARTED.get(home.root)
    return (started is not None and started.poll() is None) or is_held(home.run / SUPERVISOR_LOCK)


def spawn(config: Settings, home: Home, arguments: Sequence[str] = ()) -> None:
    """Starts a supervisor, which outlives this process. It ends at once if there is one. Raises IntegrationError."""
    command = [sys.executable, "-P", "-m", "cartum_roapp.service", *arguments]
    environment = environment_of(home, config)
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


def stop(config: Settings) -> list[str]:
    """Stops everything that runs for this home, even if it is in use. Returns the names of what was stopped.

    Idempotent, also for several processes at once. Raises Retryable if it takes longer than two minutes, or where a
    backup or a restore is at work.
    """
    home, stopped, deadline = Home(config.home), set[str](), time.monotonic() + _STOPPED_WITHIN
    if not home.run.is_dir():
        return []
    with FileLock(home.run / SUPERVISOR_LOCK) as lock:
        while not lock.acquire(timeout=1.0):
            now = State.read(home)
            if now.pids and now.phase != "stopping":
                stopped |= now.pids.keys()
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(now.pids["supervisor"], signal.SIGTERM)
            if is_alone(config):
                raise Retryable("A backup or restore is at work here, and nothing else runs.", fix="Wait for its end.")
            if time.monotonic() > deadline:
                raise Retryable("The programs of this home are still stopping.", fix="Wait, then repeat.")
        left_over = end_left_over(home)
        State.forget(home)
        return sorted({*stopped, *left_over})


def state(config: Settings) -> State:
    """Returns what runs for this home now. Starts nothing and never waits."""
    return State.read(Home(config.home))


def is_up(config: Settings) -> bool:
    """Returns whether the home's programs are kept up. Waits a moment where a killed supervisor is being replaced."""
    home = Home(config.home)
    if State.read(home).phase in KEEPS_UP:
        return True
    killed = State.last(home)
    may_return = killed.phase in KEEPS_UP and any(map(killed.serves, killed.ready))
    return may_return and wait_until(lambda: State.read(home).phase in KEEPS_UP, _REVIVED_WITHIN)


def is_alone(config: Settings) -> bool:
    """Returns whether a backup or a restore has this home's database alone."""
    return is_held(Home(config.home).run / ALONE_LOCK)


def has_other_variables(config: Settings) -> bool:
    """Returns whether what runs was started with other settings, proxies or versions than this process has."""
    home = Home(config.home)
    now = State.read(home)
    return now.phase != "stopped" and now.variables != variables_of(home, environment_of(home, config))


def ui_url(config: Settings) -> str | None:
    """Returns the address of Prefect's UI; None while our own server is down, or where the address is unknown. Starts
    nothing and never waits."""
    if theirs := named_api(os.environ):
        return ui_address(theirs)
    port = state(config).prefect
    return api_url(port).removesuffix("/api") if port else None


def keep_supervised(config: Settings) -> None:
    """From now on replaces a killed supervisor, as that replaces a killed worker and a killed console: in a thread of
    both, until this process ends.

    Until then other users are kept from the console's port, also while the console is down: a browser sends its login
    there."""
    if MARK in os.environ:
        Thread(target=_revive_always, args=(config,), daemon=True).start()


def _revive_always(config: Settings) -> None:
    home = Home(config.home)
    while True:
        with suppress(IntegrationError, OSError):  # of a full disk, say: tried again
            now = State.read(home)
            if now.console:
                keep(now.console)
            if now.phase == "stopped":
                spawn(config, home, [REVIVE])
        time.sleep(_LOOK)
