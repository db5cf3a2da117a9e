"""Versions, the home, the disk, the processes, the last backup."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from cartum_roapp.doctor.finding import Finding, look, well, wrong
from cartum_roapp.home import Home
from cartum_roapp.service import worker
from cartum_roapp.service.backup import last_backup
from cartum_roapp.service.port import answers
from cartum_roapp.service.state import State

#: Bytes. PostgreSQL writes up to this much of its log before it reuses the files.
_LITTLE_SPACE = 1024**3
_OLD_BACKUP = timedelta(days=7)
_UP = "`cartum-roapp up` starts it."


def found(home: Home, *, own_server: bool) -> Iterator[Finding]:
    """Yields what was found on this machine. The home is there. `own_server`: Prefect's server is the home's own, and
    not one that the user names: there a worker may run alone."""
    names = ", ".join(f"{name} {version(name)}" for name in ("cartum-roapp", "prefect"))
    yield well("versions", f"{names}, Python {platform.python_version()}")
    yield _rights(home)
    yield _space(home)
    yield from _processes(home, State.read(home)) if own_server else _worker(home)
    yield _backup(home)


def _rights(home: Home) -> Finding:
    open_to_others = [path for path in (home.keys, *home.keys.glob("*")) if path.stat().st_mode & 0o077]
    if open_to_others:
        return wrong("rights", f"{open_to_others[0]} is open to other users.", f"chmod -R go= {home.keys}")
    if not os.access(home.run, os.W_OK | os.X_OK):
        return wrong("rights", f"{home.run} can't be written.", f"Run this as the owner of {home.root}.")
    return well("rights", f"{home.keys} is closed to other users")


def _space(home: Home) -> Finding:
    free = shutil.disk_usage(home.root).free
    says = f"{free / 1024**3:.1f} GB are free at {home.root}"
    return well("disk", says) if free >= _LITTLE_SPACE else wrong("disk", f"{says}.", "Free some space.")


def _processes(home: Home, state: State) -> Iterator[Finding]:
    if state.phase != "running":
        yield wrong("processes", f"The home is {state.phase}: no shop is synced.", _UP)
        if state.problem:
            error = state.error()
            yield wrong("last problem", error.message, error.fix or _UP)
        return
    if not worker.is_wanted(home):
        yield wrong("processes", "A command has started the servers, but there is no worker: no shop is synced.", _UP)
    else:
        yield from _worker(home)
        yield well("processes", ", ".join(sorted(state.pids)))
    for name, port in (("prefect-server", state.prefect), ("console", state.console)):
        if port and not answers(port):
            yield wrong(name, f"Nothing answers on port {port}.", f"Read {home.log_path(name)}.")


def _worker(home: Home) -> Iterator[Finding]:
    if worker.polls(home):
        yield well("worker", "takes runs")
    else:
        fix = f"`cartum-roapp up` or `cartum-roapp worker` starts one; otherwise read {home.log_path('worker')}."
        yield wrong("worker", "No worker of this home takes runs.", fix)


def _backup(home: Home) -> Finding:
    at = last_backup(home)
    if at is None:
        return look("backup", "No backup was made here.", "`cartum-roapp backup FILE` makes one.")
    says, age = f"{at:%Y-%m-%d %H:%M} UTC", datetime.now(UTC) - at
    if age > _OLD_BACKUP:
        return look("backup", f"The last one is of {says}.", "`cartum-roapp backup --to FOLDER` belongs into cron.")
    return well("backup", says)
