"""Versions, the home, the disk, the processes, the last backup."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from cartum_roapp.backup import last_backup
from cartum_roapp.doctor.finding import Finding, ok, problem, warning
from cartum_roapp.errors import Retryable
from cartum_roapp.home import Home
from cartum_roapp.service import worker
from cartum_roapp.service.port import status_of
from cartum_roapp.service.prefect_server import LOG as PREFECT
from cartum_roapp.service.state import State

#: Bytes. PostgreSQL writes up to this much of its write-ahead log before it reuses the files.
_LITTLE_SPACE = 1024**3
_OLD_BACKUP = timedelta(days=7)
_UP = "`cartum-roapp up` starts it."


def found(home: Home, programs: Collection[str]) -> Iterator[Finding]:
    """Yields what was found on this machine. The home is there. `programs`: those that belong to it; without a
    Prefect server among them only the worker is checked."""
    names = ", ".join(f"{name} {version(name)}" for name in ("cartum-roapp", "prefect"))
    yield ok("versions", f"{names}, Python {platform.python_version()}")
    yield from _home(home)
    yield from _processes(home, State.read(home), programs) if PREFECT in programs else _worker(home)
    yield _backup(home)


def _home(home: Home) -> Iterator[Finding]:
    try:
        home.require_disk()
    except Retryable as error:
        yield problem("disk", error.message, error.fix or "")
    else:
        yield _rights(home)
        yield _space(home)


def _rights(home: Home) -> Finding:
    open_to_others = [path for path in (home.keys, *home.keys.glob("*")) if path.stat().st_mode & 0o077]
    if open_to_others:
        return problem("rights", f"{open_to_others[0]} is open to other users.", f"chmod -R go= {home.keys}")
    if not os.access(home.run, os.W_OK | os.X_OK):
        return problem("rights", f"{home.run} can't be written.", f"Run this as the owner of {home.root}.")
    return ok("rights", f"{home.keys} is closed to other users")


def _space(home: Home) -> Finding:
    free = shutil.disk_usage(home.root).free
    says = f"{free / 1024**3:.1f} GB are free at {home.root}"
    return ok("disk", says) if free >= _LITTLE_SPACE else problem("disk", f"{says}.", "Free some space.")


def _processes(home: Home, state: State, programs: Collection[str]) -> Iterator[Finding]:
    if state.phase != "running":
        yield problem("processes", f"The home is {state.phase}: no shop is synced.", _UP)
        if state.problem:
            error = state.error()
            yield problem("last problem", error.message, error.fix or _UP)
        return
    silent = state.silence()
    for name, what in silent.items():
        fix = f"It is started again soon. If it is silent again, read {home.log_path(name)}."
        yield problem(name, f"It {what}.", fix)
    if missing := [name for name in programs if not (state.serves(name) or name in silent)]:
        last = f" Last problem: {state.problem['message']}" if state.problem else ""
        fix = f"`cartum-roapp up` starts it; otherwise read {home.logs}."
        yield problem("processes", f"Not up: {', '.join(missing)}.{last}", fix)
    if not missing and not silent:
        yield from _worker(home)
        yield ok("processes", ", ".join(sorted(state.pids)))
    for name, port in (("prefect-server", state.prefect), ("console", state.console)):
        if port and status_of(port, "/") is None:
            yield problem(name, f"It does not answer on port {port}.", f"Read {home.log_path(name)}.")


def _worker(home: Home) -> Iterator[Finding]:
    if worker.polls(home):
        yield ok("worker", "is polling for runs")
    else:
        fix = f"`cartum-roapp up` or `cartum-roapp worker` starts one; otherwise read {home.log_path('worker')}."
        yield problem("worker", "No worker of this home is polling for runs.", fix)


def _backup(home: Home) -> Finding:
    at = last_backup(home)
    if at is None:
        return warning("backup", "No backup was made here.", "`cartum-roapp backup FILE` makes one.")
    says, age = f"{at:%Y-%m-%d %H:%M} UTC", datetime.now(UTC) - at
    if age > _OLD_BACKUP:
        return warning("backup", f"The last one is from {says}.", "Run `cartum-roapp backup --to FOLDER` from cron.")
    return ok("backup", says)
