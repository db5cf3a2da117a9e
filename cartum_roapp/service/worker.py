"""The worker of a home, as its keeper sees it: wanted from `up` to `down`, and started again when it dies.

The worker itself is deployments/serve.py, a program of its own. While it lives it holds a lock; a record says which
process it is and whether it polls already. So a worker that was started without `up` counts as well.
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

#: Held by the worker as long as it lives.
LOCK = "worker.lock"
_RECORD = "worker.json"
_WANTED = "up"

# Runs that are under way are stopped in good order, to be gone on with by the next worker.
_ORDERLY = (signal.SIGTERM, 20.0)


def want(home: Home) -> None:
    """From now on the keeper keeps a worker up. May be called twice. Raises OSError."""
    write_atomically(home.run / _WANTED, "")


def want_none(home: Home) -> None:
    """Undoes `want`; what runs is not stopped by this. May be called twice."""
    (home.run / _WANTED).unlink(missing_ok=True)


def is_wanted(home: Home) -> bool:
    return last_wanted_at(home) is not None


def last_wanted_at(home: Home) -> float | None:
    """When `want` was called last (seconds since 1970); None after `want_none`."""
    try:
        return (home.run / _WANTED).stat().st_mtime
    except OSError:
        return None


def runs(home: Home) -> bool:
    """Whether a worker of this home is alive, though perhaps not polling yet."""
    return is_held(home.run / LOCK)


def polls(home: Home) -> bool:
    """Whether the home's worker is alive and takes runs."""
    process, polling = _recorded(home)
    return polling and process is not None and process.alive() and runs(home)


def record(home: Home, *, polling: bool) -> None:
    """What the worker says of itself; called by the worker. Raises OSError."""
    if me := Process.of(os.getpid()):
        write_atomically(home.run / _RECORD, json.dumps({"process": me.dump(), "polling": polling}))


def running(home: Home) -> Process | None:
    """The process of the home's worker; None where none is alive."""
    process, _ = _recorded(home)
    return process if process is not None and process.alive() and runs(home) else None


def start(home: Home, environment: Mapping[str, str]) -> Process:
    """Starts a worker. It ends at once where another one is alive. Raises OSError."""
    # Each run has a thread of its own: with glibc's arena for each the worker would seem to grow for ever.
    command = [sys.executable, "-P", "-m", "deployments.serve"]
    with home.open_log(LOG) as log:
        return spawn(command, log=log, env={"MALLOC_ARENA_MAX": "2", **environment})[0]


def stop(process: Process) -> bool:
    """Ends it in good order, within seconds. False where it had ended already."""
    ran = process.alive()
    process.stop(_ORDERLY)
    return ran


def _recorded(home: Home) -> tuple[Process | None, bool]:
    try:
        found = json.loads((home.run / _RECORD).read_text())
        return Process.load(found["process"]), bool(found["polling"])
    except (OSError, ValueError, KeyError, TypeError):
        return None, False
