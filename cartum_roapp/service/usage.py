"""Gives a process the database and the Prefect server of its home."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread

from pydantic import SecretStr

from cartum_roapp.errors import IntegrationError
from cartum_roapp.home import Home
from cartum_roapp.postgres.cluster import LOG as POSTGRES
from cartum_roapp.postgres.database_url import DatabaseUrl
from cartum_roapp.postgres.databases import check_ledger, prepare_prefect
from cartum_roapp.postgres.embedded import embedded_url
from cartum_roapp.service import console, requested, worker
from cartum_roapp.service.environment import prepare
from cartum_roapp.service.named_server import check_named_server, named_api, ui_address
from cartum_roapp.service.port import keep
from cartum_roapp.service.prefect_server import CLIENT_AUTH_STRING, OWN_API, api_url, auth_string, client_environment
from cartum_roapp.service.prefect_server import LOG as PREFECT
from cartum_roapp.service.startup import Startup, requests_of, spawn
from cartum_roapp.service.state import State, variables_of
from cartum_roapp.service.supervisor import environment_of
from cartum_roapp.settings import Settings

#: Seconds.
TIMEOUT = 180.0
_LOOK = 1.0


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
        client = Startup(config, home, programs, timeout)
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


def request_all(config: Settings) -> None:
    """Prepares this process as `use` does, and makes the home's supervisor keep up all that belongs to it. Raises
    IntegrationError."""
    theirs = prepare_named(config)
    home = Home(config.home).create()
    own = variables_of(home, environment_of(home, config))
    requested.add(home, requests_of(_programs(config, not theirs, with_worker=True), own))


def _programs(config: Settings, server: bool, *, with_worker: bool) -> list[str]:
    database = [] if config.database_url else [POSTGRES]
    return [*database, *([PREFECT] if server else []), *([worker.LOG, console.LOG] if with_worker else [])]


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


def keep_supervised(config: Settings) -> None:
    """From now on replaces a killed supervisor, as that replaces a killed worker and a killed console: in a thread of
    both, until this process ends.

    Until then other users are kept from the console's port, also while the console is down: a browser sends its login
    there."""
    Thread(target=_revive_always, args=(config,), daemon=True).start()


def _revive_always(config: Settings) -> None:
    home = Home(config.home)
    while True:
        with suppress(IntegrationError, OSError):  # of a full disk, say: tried again
            now = State.read(home)
            if now.console:
                keep(now.console)
            if now.phase == "stopped" and requested.contains(home, worker.LOG):
                spawn(config, home)
        time.sleep(_LOOK)
