"""`cartum-roapp up | down | ui`: starts and stops database, Prefect's server, worker and console."""

from __future__ import annotations

import os
import time
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cartum_roapp.cli.backend import require_home
from cartum_roapp.cli.output import Json, say, show, terminal_table
from cartum_roapp.cli.progress import waiting
from cartum_roapp.errors import BadConfig, Retryable

if TYPE_CHECKING:
    from cartum_roapp.service import Running, State
    from cartum_roapp.settings import Settings

#: Held in the home's `run` by `up`.
_LOCK = "starting.lock"
# Seconds.
_OTHERS_WITHIN = 180.0
_LOOK = 0.5

_GOES_ON = "What it stored and delivered stays; it goes on after `cartum-roapp up`."


def up(
    foreground: Annotated[
        bool,
        typer.Option("--foreground", help="Run in the foreground, and stop everything on SIGTERM or Ctrl-C."),
    ] = False,
    backup: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            metavar="FOLDER",
            help="Where a backup goes before the ledger is upgraded. Without it: the home's `backups`, or none for a "
            "database of your own.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Start database, Prefect's server, worker and console until `down`. Print the addresses and the login. Back up and
    upgrade the ledger of an older version first."""
    from cartum_roapp import service
    from cartum_roapp.home import Home
    from cartum_roapp.service.lock import FileLock
    from cartum_roapp.service.startup import prepare_named
    from cartum_roapp.settings import settings

    config = settings()
    prepare_named(config)  # refuses before anything is made
    with FileLock(Home(config.home).create().run / _LOCK) as lock:
        if not lock.acquire(timeout=_OTHERS_WITHIN):  # systemd starts what an upgrade has stopped
            raise Retryable("Another `up` is under way.", fix="Wait until it has ended.")
        if service.is_alone(config):
            say("A backup or restore is at work here. Waiting for its end …")
        while service.is_alone(config):
            time.sleep(_LOOK)
        if not foreground:
            document, rows = _bring_up(config, backup)
            show(document, lambda: terminal_table("Up until `cartum-roapp down`", ("", ""), rows))
            return
        _take_over(config, backup)
    _stay(config)
    show({"home": str(config.home)}, lambda: ["Everything is stopped."])


def _take_over(config: Settings, folder: Path | None) -> None:
    """Stops what runs in the background. Raises BadConfig if the home already runs in the foreground."""
    from cartum_roapp import backup, service

    now = service.state(config)
    if now.foreground:
        raise BadConfig(
            f"{config.home} is already running in the foreground (process {now.pids.get('supervisor')}).",
            field="CARTUM_ROAPP_HOME",
            fix="Stop that command or service first.",
        )
    if saved := backup.upgrade(config, folder):
        say(f"The ledger is upgraded. Its backup: {saved}")
    service.stop(config)


def _stay(config: Settings) -> None:
    """Runs the home's supervisor in this process until SIGTERM, Ctrl-C, or somebody types `down`."""
    from cartum_roapp import logs
    from cartum_roapp.service.supervisor import supervise

    logs.configure()
    say(f"Starting {_parts(config)}. They stop when this command ends.")
    if not supervise(foreground=True):
        raise Retryable("Another `up` has started them in the meantime.", fix="Repeat.")


def _bring_up(config: Settings, folder: Path | None) -> tuple[dict[str, object], list[tuple[str, object]]]:
    """Starts what is not up. Returns the document of `up`, and its rows for people. Raises IntegrationError."""
    from cartum_roapp import backup, service
    from cartum_roapp.service import console, worker

    before = service.state(config)
    with waiting(f"Starting {_parts(config)}"):
        saved = backup.upgrade(config, folder)
        running = service.start(config)
    now = service.state(config)
    was_running = worker.LOG in before.ready and before.pids.get(worker.LOG) == now.pids.get(worker.LOG)
    for what, fix in warnings_of(config, before):
        say(f"Warning: {what}")
        say(f"Fix: {fix}")
    document: dict[str, object] = {
        "console": console.address(config),
        "ui": running.ui_url,
        "api": running.prefect_api_url,
        "login_file": str(running.home.login_path) if _is_own(running) else None,
        "home": str(running.home.root),
        "worker": "was running" if was_running else "started",
        "backup": str(saved) if saved else None,
    }
    return document, [
        ("console", document["console"]),
        ("Prefect's UI", document["ui"]),
        *_logins(running),
        *((name, document[name]) for name in ("home", "worker")),
        *([("backup before the upgrade", saved)] if saved else []),
    ]


def warnings_of(config: Settings, before: State) -> Iterator[tuple[str, str]]:
    """Yields what may be wrong with what was started, each with its fix."""
    from cartum_roapp import service
    from cartum_roapp.service.named_server import is_open, named_api

    if service.has_other_variables(config):
        by_systemd = "`cartum-roapp service install`, then restart the service."
        yield (
            "the running programs were started with different CARTUM_ROAPP_, PREFECT_API_ or proxy variables, or by "
            "another version.",
            by_systemd if before.foreground else "`cartum-roapp down`, then `cartum-roapp up`.",
        )
    theirs = named_api(os.environ)
    if theirs and not config.database_url:
        yield (
            "the Prefect server at PREFECT_API_URL is one of your own, and the ledger is in this home alone.",
            "If other machines run syncs with that server, `cartum-roapp down`, then set CARTUM_ROAPP_DATABASE_URL to "
            "their database.",
        )
    if theirs and is_open(theirs):
        yield (
            "the Prefect server at PREFECT_API_URL asks for no login, and gives passwords and API keys to all.",
            "Set PREFECT_SERVER_API_AUTH_STRING on that server, and PREFECT_API_AUTH_STRING here.",
        )


def _parts(config: Settings) -> str:
    """Returns what `up` starts, in words: servers of the operator's own are not started."""
    from cartum_roapp.service.named_server import named_api

    own = [] if config.database_url else ["database"]
    own += [] if named_api(os.environ) else ["Prefect's server"]
    return ", ".join([*own, "worker and console"])


def ui(
    open_: Annotated[bool, typer.Option("--open", help="Open the console in this machine's browser.")] = False,
    json: Json = False,
) -> None:
    """Print the addresses of the console and of Prefect's UI, and what their login pages ask for."""
    from cartum_roapp import service
    from cartum_roapp.service import console
    from cartum_roapp.settings import settings

    config = settings()
    require_home(config)
    with waiting("Waiting for Prefect's server", line=False):
        running = service.use(config)
    address = console.address(config)
    if open_ and (page := address or running.ui_url):
        webbrowser.open(page)
    document = {
        "console": address,
        "ui": running.ui_url,
        "api": running.prefect_api_url,
        "login": running.login.get_secret_value() if running.login else None,
        "console_login": _console_login(running),
    }
    rows = [("console", address or "down: `cartum-roapp up` starts it"), ("Prefect's UI", running.ui_url)]
    show(document, lambda: terminal_table("Pages", ("", ""), [*rows, *_logins(running)]))


def down(json: Json = False) -> None:
    """Stop whatever runs for this home: console and worker, then server and database."""
    from cartum_roapp import service
    from cartum_roapp.settings import settings

    config = settings()
    require_home(config)
    before = _under_way()
    with waiting("Stopping what runs", line=service.state(config).phase != "stopped"):
        stopped = service.stop(config)
    after = _under_way() if before else {}  # a ledger that other machines use as well is still up
    runs = [run for id, run in before.items() if id not in after]
    text = f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running."
    broken_off = [f"{run['shop']}: {run['run']} was broken off. {_GOES_ON}" for run in runs]
    show({"stopped": stopped, "runs": runs}, lambda: [text, *broken_off])


def _under_way() -> dict[str, dict[str, str]]:
    """Returns the runs that are at work, of workers and of commands, by id; {} if the ledger can't be asked."""
    from sqlalchemy.exc import SQLAlchemyError

    from cartum_roapp.ledger import runs, shops
    from cartum_roapp.service import ledger

    try:
        with ledger.opened_if_up() as engine:
            if engine is None:
                return {}
            slugs = {shop.key: shop.slug for shop in shops.all_states(engine)}
            alive = [run for run in runs.unfinished(engine) if runs.is_alive(engine, run.id)]
            return {run.id: {"shop": slugs.get(run.shop, run.shop), "run": run.kind} for run in alive}
    except SQLAlchemyError:
        return {}


def _logins(running: Running) -> list[tuple[str, str]]:
    """Returns the row with the login of both pages. A Prefect server of the operator's own may ask for none."""
    asks = "log in with" if running.login else "log in to the console with"
    return [(asks, _console_login(running))]


def _console_login(running: Running) -> str:
    from cartum_roapp.service.named_server import console_login

    return console_login(running.home, os.environ)


def _is_own(running: Running) -> bool:
    """Returns whether the login is the one that this home made."""
    return running.login is not None and running.login.get_secret_value() == running.home.login()
