"""Gives a command, a worker or a test the database and the Prefect server of its home, and stops them."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import SecretStr

from cartum_roapp.errors import BadConfig, Retryable
from cartum_roapp.home import LITTLE, Home, unusable
from cartum_roapp.service import socket_folder, worker
from cartum_roapp.service.cluster import LOG as POSTGRES
from cartum_roapp.service.database_url import DatabaseUrl
from cartum_roapp.service.databases import check_ledger, embedded_url, prepare_prefect
from cartum_roapp.service.environment import prepare
from cartum_roapp.service.lock import FileLock, is_held
from cartum_roapp.service.port import Held, answers, hold
from cartum_roapp.service.postgres import PostgresServer
from cartum_roapp.service.prefect_server import (
    CLIENT_AUTH_STRING,
    OWN_API,
    PrefectServer,
    api_url,
    auth_string,
    check_named_server,
    client_environment,
    named_api,
    ui_address,
)
from cartum_roapp.service.prefect_server import LOG as PREFECT
from cartum_roapp.service.process import Process, spawn
from cartum_roapp.service.state import KEEPER_LOCK, PREFECT_LOCK, USERS_LOCK, State, kind_of, variables_of
from cartum_roapp.settings import PREFIX, Settings

TIMEOUT = 180.0  # seconds
_KEEPERS = 3
_PAUSE = 0.02  # seconds
# Ports to which this process, or a browser, sends a login. Never closed: Prefect sends the last lines of a log while
# the interpreter ends.
_HELD: dict[int, Held] = {}
_SECRETS = {PREFIX + "API_KEY", PREFIX + "SHOP_PASSWORD"}


@dataclass(frozen=True)
class Running:
    """What `use` offers.

    database_url      for SQLAlchemy with psycopg2
    prefect_api_url   None without Prefect
    ui_url            None without Prefect, or if it is unknown
    env               the variables to set before prefect is imported
    login             of the UI; None if it asks for none
    other_variables   the keeper, and so its worker, was started with other settings or proxies than this process has
    """

    home: Home
    database_url: SecretStr
    prefect_api_url: str | None = None
    ui_url: str | None = None
    env: dict[str, str] = field(default_factory=dict, repr=False)
    login: SecretStr | None = None
    other_variables: bool = False


@contextlib.contextmanager
def use(
    config: Settings, *, prefect: bool = True, with_worker: bool = False, timeout: float = TIMEOUT
) -> Iterator[Running]:
    """Starts what is missing, and keeps it up until the end of the block and `config.linger` seconds longer. To its end
    this process holds the port of our Prefect server (service/port.py).

    Many processes may use a home at once; calls may be nested. `prefect=False` starts only the database. If the
    environment names a server by PREFECT_API_URL, that is used instead of ours. `with_worker` starts a worker that is
    kept up until `stop`; it may not poll yet. It gets this process' variables, unless another process uses a keeper
    that has other ones. From now on this process and its children reach the loopback without a proxy.

    Raises BadConfig for invalid settings, Retryable if it is not up within `timeout` seconds.
    """
    prepare(config.home)
    theirs = named_api(os.environ)
    ours = prefect and not theirs
    external = DatabaseUrl.parse(config.database_url) if config.database_url else None
    if external:
        check_ledger(external)
        if ours:
            prepare_prefect(external, Home(config.home).encryption_path)
    if prefect and theirs:
        check_named_server(theirs, os.environ)
    home = Home(config.home).create()
    with contextlib.ExitStack() as stack:
        state = State()
        other_variables = False
        if ours or not external or with_worker:
            client_lock = stack.enter_context(FileLock(home.run / USERS_LOCK))
            server_lock = stack.enter_context(FileLock(home.run / PREFECT_LOCK))
            client = _KeeperClient(config, home, client_lock, server_lock if ours else None, timeout)
            state = client.wait_until_ready()
            if with_worker:
                state, other_variables = client.with_own_variables(state)
                try:
                    worker.want(home)
                except OSError as error:
                    raise unusable(error) from None
        url = external.sqlalchemy() if external else embedded_url(home).sqlalchemy()
        if ours:
            api, own = api_url(state.prefect), auth_string(home, os.environ)
            env = {**client_environment(home, state.prefect), CLIENT_AUTH_STRING: own, OWN_API: api}
            yield Running(home, url, api, api.removesuffix("/api"), env, SecretStr(own), other_variables)
        elif prefect:
            env, known = {"PREFECT_API_URL": theirs}, os.environ.get(CLIENT_AUTH_STRING)
            login = SecretStr(known) if known else None
            yield Running(home, url, theirs, ui_address(theirs), env, login, other_variables)
        else:
            yield Running(home, url)


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
        _holds(port)


def stop(config: Settings) -> list[str]:
    """Stops everything that runs for this home, even if it is in use. Returns the names of what was stopped.

    Idempotent, also for several processes at once. Raises Retryable if it takes longer than two minutes.
    """
    home = Home(config.home)
    if not home.run.is_dir():
        return []
    worker.want_none(home)
    now = State.read(home)
    stopped = []
    if keeper := Process.load(now.keeper):
        keeper.signal(signal.SIGTERM)
        if not keeper.wait(120.0):
            raise Retryable("The database and the server are still stopping.", fix="Wait, then repeat.")
        stopped = sorted(now.pids)
    with FileLock(home.run / KEEPER_LOCK) as lock:
        # Stops what a killed keeper left. If a keeper has the lock, another process started it after our call.
        if lock.acquire(timeout=1.0):
            if (left := worker.running(home)) and worker.stop(left):
                stopped.append(worker.LOG)
            server = PrefectServer(home, {})
            if server.end_left_over():
                stopped.append(PREFECT)
            if PostgresServer(home).stop():
                stopped.append(POSTGRES)
    return stopped


class _KeeperClient:
    """Waits until the keeper of the home offers what one client process needs. Starts the keeper if there is none."""

    def __init__(
        self, config: Settings, home: Home, client_lock: FileLock, server_lock: FileLock | None, timeout: float
    ) -> None:
        self.config = config
        self.home = home
        self.client_lock = client_lock
        self.server_lock = server_lock
        self.deadline = time.monotonic() + timeout
        self.began = time.time()
        self.kind = kind_of(home, config)
        self.started: list[Process] = []

    def wait_until_ready(self) -> State:
        """Waits, and returns the state. The locks that keep everything up are then held, and the server's port."""
        self._take_locks()
        while True:
            now = State.read(self.home)
            if now.kind == self.kind and self._offers(now):
                return now
            if now.phase == "stopped" or now.problem_at >= self.began:
                self._start_or_raise(now)
            elif now.phase != "stopping" and now.kind != self.kind:
                self._stop_other_settings()
            if time.monotonic() >= self.deadline:
                raise Retryable(
                    f"Database and Prefect server are not up yet; see {self.home.logs}.",
                    fix="Wait a little, then repeat.",
                )
            time.sleep(_PAUSE)

    def with_own_variables(self, now: State) -> tuple[State, bool]:
        """Restarts the keeper if it has other variables than this process and nobody else uses it. Returns the state,
        and whether the variables still differ."""
        if now.variables == variables_of(self.home, self._environment()):
            return now, False
        stopped = self._stop_unused()
        return self.wait_until_ready(), not stopped

    def _take_locks(self) -> None:
        for lock in (self.client_lock, self.server_lock):
            # Refused only while a keeper is ending.
            if lock and not lock.acquire(shared=True, timeout=max(1.0, self.deadline - time.monotonic())):
                raise Retryable("The database and the server are still stopping.", fix="Wait, then repeat.")

    def _offers(self, now: State) -> bool:
        if not self.client_lock.is_current():
            raise BadConfig(f"{self.home.root} was deleted meanwhile.", field=PREFIX + "HOME", fix="Repeat.")
        database = self.config.database_url is not None or (
            now.database and _lives(now, POSTGRES) and socket_folder.answers(self.home)
        )
        server = self.server_lock is None or (
            now.prefect != 0 and _lives(now, PREFECT) and _holds(now.prefect) and answers(now.prefect)
        )
        return now.phase == "running" and database and server

    def _start_or_raise(self, now: State) -> None:
        if now.problem_at >= self.began:
            raise now.error()
        if any(keeper.alive() for keeper in self.started) or is_held(self.home.run / KEEPER_LOCK, exclusively=True):
            return
        if len(self.started) >= _KEEPERS:
            self.home.require_space(LITTLE)
            log = self.home.log_path("keeper")
            raise Retryable(f"The keeper of the database ended. The reason is at the end of {log}.", fix="Repeat.")
        command = [sys.executable, "-P", "-m", "cartum_roapp.service.keeper"]
        try:
            with self.home.open_log("keeper") as log_file:
                self.started.append(spawn(command, log=log_file, env=self._environment())[0])
        except OSError as error:
            raise unusable(error) from None

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in _SECRETS}
        kept |= {PREFIX + "HOME": str(self.home.root), PREFIX + "LINGER": str(self.config.linger)}
        kept.pop(PREFIX + "DATABASE_URL", None)
        if self.config.database_url:
            kept[PREFIX + "DATABASE_URL"] = self.config.database_url.get_secret_value()
        return kept

    def _stop_other_settings(self) -> None:
        """Stops a keeper that runs with another database or another Prefect. Raises BadConfig if it is in use."""
        if not self._stop_unused():
            raise BadConfig(
                f"{self.home.root} is in use with another database, another version of Prefect or another auth string.",
                field=PREFIX + "DATABASE_URL",
                fix="Run `cartum-roapp down` first, or set CARTUM_ROAPP_HOME to another directory.",
            )
        self._take_locks()

    def _stop_unused(self) -> bool:
        """Releases the locks, and stops what runs unless another process uses it. Returns whether it was stopped."""
        for lock in (self.client_lock, self.server_lock):
            if lock:
                lock.release()
        if worker.is_wanted(self.home) or not self.client_lock.acquire():
            return False
        self.client_lock.release()
        stop(self.config)
        return True


def _holds(port: int) -> bool:
    """Returns whether this process holds the port from now on; False while another user has it."""
    if port not in _HELD and (held := hold(port)):
        _HELD[port] = held
    return port in _HELD


def _lives(now: State, part: str) -> bool:
    """Returns whether this part is alive: one that was killed just now is still in the state, and may still answer."""
    return Process.of(now.pids.get(part, 0)) is not None
