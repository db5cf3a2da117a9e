"""The worker of a home, as its keeper sees it: wanted from `up` to `down`, and restarted when it dies.

The worker is a separate program, deployments/serve.py. It holds a lock while it lives; a record has its process and
whether it polls already. So a worker that was started without `up` is known as well.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping

from cartum_roapp.home import Home, write_atomically
from cartum_roapp.service.lock import is_held
from cartum_roapp.service.process import Process, spawn

LOG = "worker"

#: Held by the worker while it lives.
LOCK = "worker.lock"
_RECORD = "worker.json"
_WANTED = "up"

# Signal and seconds. The worker stops its runs meanwhile; the next worker continues them.
_ORDERLY = (signal.SIGTERM, 20.0)


def want(home: Home) -> None:
    """Makes the keeper keep a worker up from now on. Idempotent. Raises OSError."""
    write_atomically(home.run / _WANTED, "")


def want_none(home: Home) -> None:
    """Undoes `want`. Does not stop a worker. Idempotent."""
    (home.run / _WANTED).unlink(missing_ok=True)


def is_wanted(home: Home) -> bool:
    return last_wanted_at(home) is not None


def last_wanted_at(home: Home) -> float | None:
    """Returns when `want` was called last, in seconds since 1970; None if no worker is wanted."""
    try:
        return (home.run / _WANTED).stat().st_mtime
    except OSError:
        return None


def runs(home: Home) -> bool:
    """Returns whether a worker of this home is alive. It may not poll yet."""
    return is_held(home.run / LOCK)


def polls(home: Home) -> bool:
    """Returns whether the home's worker is alive and takes runs."""
    process, polling = _recorded(home)
    return polling and process is not None and process.alive() and runs(home)


def record(home: Home, *, polling: bool) -> None:
    """Writes the record of the worker; called by the worker. Raises OSError."""
    if me := Process.of(os.getpid()):
        write_atomically(home.run / _RECORD, json.dumps({"process": me.dump(), "polling": polling}))


def running(home: Home) -> Process | None:
    """Returns the process of the home's worker; None if none is alive."""
    process, _ = _recorded(home)
    return process if process is not None and process.alive() and runs(home) else None


def start(home: Home, environment: Mapping[str, str]) -> Process:
    """Starts a worker, which ends at once if another one is alive. Raises OSError."""
    # Each run has its own thread. With one arena of glibc per thread the worker's memory would seem to grow for ever.
    command = [sys.executable, "-P", "-m", "deployments.serve"]
    with home.open_log(LOG) as log:
        return spawn(command, log=log, env={"MALLOC_ARENA_MAX": "2", **environment})[0]


def stop(process: Process) -> bool:
    """Stops it by SIGTERM, after 20 s by SIGKILL. Returns False if it had already ended."""
    ran = process.alive()
    process.stop(_ORDERLY)
    return ran


def _recorded(home: Home) -> tuple[Process | None, bool]:
    try:
        found = json.loads((home.run / _RECORD).read_text())
        return Process.load(found["process"]), bool(found["polling"])
    except (OSError, ValueError, KeyError, TypeError):
        return None, False
