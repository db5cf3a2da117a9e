"""The process of a home that owns its database, Prefect's server, the worker and the console:
python -m cartum_roapp.service

It starts again what dies. It stops everything and ends on SIGTERM, or when the home is deleted. The next supervisor
ends what a killed one left running.
"""

from __future__ import annotations

import logging
import os
import signal
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from cartum_roapp import logs
from cartum_roapp.errors import BadConfig, IntegrationError
from cartum_roapp.home import Home, unusable
from cartum_roapp.postgres.cluster import LOG as POSTGRES
from cartum_roapp.service import console, postgres, worker
from cartum_roapp.service.child import MARK, Child, end_orphans
from cartum_roapp.service.lock import FileLock
from cartum_roapp.service.named_server import named_api
from cartum_roapp.service.open_files import raise_limit
from cartum_roapp.service.port import keep_own
from cartum_roapp.service.prefect_server import PrefectServer, forget_errors
from cartum_roapp.service.state import KEEPS_UP, STATE_LOCK, SUPERVISOR_LOCK, State, database_of, variables_of
from cartum_roapp.settings import PREFIX, Settings, settings

LOG = "supervisor"
#: The argument of a supervisor that takes the place of a killed one.
REVIVE = "--revive"

log = logging.getLogger(__name__)

# Seconds.
_TICK = 0.1
_CHORES_EVERY = 10.0
_SECRETS = {PREFIX + "API_KEY", PREFIX + "SHOP_PASSWORD"}


class Supervisor:
    """`run` returns when it is to stop. The caller holds the home's supervisor lock."""

    def __init__(self, home: Home, config: Settings, programs: Collection[str], *, foreground: bool) -> None:
        self.home = home
        self.place = home.run.stat()
        environment = environment_of(home, config)
        self.children = [child for child in _children(home, config, environment) if child.name in programs]
        self.databases = [child for child in self.children if child.name == POSTGRES]
        self.stopping = False
        self.was_up = False
        self.refusal: BadConfig | None = None
        self.chores_at = 0.0
        self.state = State(
            id=uuid.uuid4().hex,
            phase="starting",
            foreground=foreground,
            database=database_of(home, config),
            variables=variables_of(home, environment),
        )
        self.written: State | None = None

    def run(self) -> None:
        """Raises BadConfig if nothing can be started while the settings are as they are, and OSError, for example for a
        full disk."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: setattr(self, "stopping", True))
        if not self.state.foreground:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        keep_own(self.home)
        try:
            end_left_over(self.home)
            while not (self.stopping or self.refusal or self._is_gone()):
                for child in self.children:
                    self._check(child)
                self._do_chores()
                with suppress(OSError):  # a full disk: written later
                    self.write_state()
                time.sleep(_TICK)
        finally:
            self._end()
        if self.refusal:
            raise self.refusal

    def _is_gone(self) -> bool:
        """Returns whether the home was deleted or moved."""
        with suppress(OSError):
            return not os.path.samestat(self.place, self.home.run.stat())
        return True

    def _check(self, child: Child) -> None:
        try:
            child.check()
        except (IntegrationError, OSError) as found:
            error = unusable(found) if isinstance(found, OSError) else found
            self.state = self.state.failed(error, child.name)
            if isinstance(error, BadConfig) and not self.was_up:
                self.refusal = error
            else:
                log.error("%s", error)
        self.was_up = self.was_up or child.ready

    def _do_chores(self) -> None:
        if time.monotonic() >= self.chores_at:
            self.home.rotate_logs()
            forget_errors(self.home)
            self.chores_at = time.monotonic() + _CHORES_EVERY

    def write_state(self) -> None:
        alive = [child for child in self.children if child.process]
        has_begun = self.state.phase == "starting" and all(child.ready for child in self.databases)
        self.state = replace(
            self.state,
            phase="running" if has_begun else self.state.phase,
            pids={"supervisor": os.getpid(), **{child.name: child.process.pid for child in alive if child.process}},
            ready=tuple(child.name for child in alive if child.ready),
            silent={child.name: since for child in alive if (since := child.answering.silent_since)},
            ports={child.name: child.port for child in alive if child.port},
        )
        if self.state != self.written and self.home.run.is_dir():
            self.state.write(self.home)
            self.written = self.state

    def _end(self) -> None:
        """Stops the worker before the server, as it still reports its runs to Prefect; the database last."""
        self.state = replace(self.state, phase="stopping")
        with suppress(OSError):
            self.write_state()
        for child in reversed(self.children):
            child.stop()


def end_left_over(home: Home) -> list[str]:
    """Ends what a killed supervisor left. Returns the names of those that it ended. The caller holds the supervisor
    lock."""
    ended = end_orphans(home, console.Console, worker.Worker, PrefectServer)
    return [*ended, POSTGRES] if postgres.end_left_over(home) else ended


def environment_of(home: Home, config: Settings) -> dict[str, str]:
    """Returns the environment of the supervisor, and so of worker and console: that of this process without the secrets
    of one shop or account, and with the settings that may have been given in another way."""
    kept = {name: value for name, value in os.environ.items() if name not in {*_SECRETS, MARK}}
    kept[PREFIX + "HOME"] = str(home.root)
    kept.pop(PREFIX + "DATABASE_URL", None)
    if config.database_url:
        kept[PREFIX + "DATABASE_URL"] = config.database_url.get_secret_value()
    return kept


def _children(home: Home, config: Settings, environment: Mapping[str, str]) -> list[Child]:
    """Returns what runs here, each after what it needs."""
    database: list[Child] = [] if config.database_url else [postgres.Postgres(home, environment)]
    server: list[Child] = []
    if not named_api(environment):
        server = [PrefectServer(home, environment, config, database)]
    servers = [*database, *server]
    return [*servers, worker.Worker(home, environment, servers), console.Console(home, environment, database)]


def programs_of(config: Settings) -> list[str]:
    """Returns the names of all that belongs to the home."""
    home = Home(config.home)
    return [child.name for child in _children(home, config, environment_of(home, config))]


def supervise(arguments: Sequence[str] = (), *, foreground: bool) -> bool:
    """Runs the home's supervisor in this process until it is to stop. `arguments` are the programs that it keeps up,
    all if there are none; or `REVIVE`: then it starts nothing if the last one was not killed. Returns
    False at once if there is another supervisor. Raises IntegrationError."""
    config = settings()
    home = Home(config.home).create()
    revives = REVIVE in arguments
    programs = programs_of(config) if revives or not arguments else arguments
    with FileLock(home.run / SUPERVISOR_LOCK) as first, FileLock(home.run / STATE_LOCK) as second:
        # Others take a lock for an instant to see whether it is held, so one refusal proves nothing.
        if not first.acquire(timeout=1.0):
            return False
        if revives and State.last(home).phase not in KEEPS_UP:
            end_left_over(home)
            return True
        raise_limit()
        try:
            supervisor = Supervisor(home, config, programs, foreground=foreground)
            supervisor.write_state()
            if not second.acquire(timeout=1.0):
                return False
            supervisor.run()
        except OSError as error:
            raise unusable(error) from None
    return True


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code; an error is in the log, and mostly in the state."""
    logs.configure()
    try:
        supervise(arguments, foreground=False)
    except IntegrationError as error:
        log.error("%s", error)
        return 1
    return 0
