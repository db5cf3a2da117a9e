"""`cartum-roapp up | down`: the database, Prefect's server and the worker of this home, in the background."""

from __future__ import annotations

import json as json_
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

from cartum_roapp.cli.output import Json, show, table
from cartum_roapp.errors import Retryable

if TYPE_CHECKING:
    from cartum_roapp.home import Home
    from cartum_roapp.service.process import Process

_LOG = "worker"
_TIMEOUT = 90.0


def up(json: Json = False) -> None:
    """Start the database, Prefect's server and the worker; print the UI's address."""
    document = start()
    rows = [(name, document[name]) for name in ("ui", "home", "worker")]
    show(document, lambda: table("Up", ("", ""), rows))


def down(json: Json = False) -> None:
    """Stop whatever runs for this home."""
    stopped = stop()
    show({"stopped": stopped}, lambda: f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


def start() -> dict[str, Any]:
    """Starts what is missing and returns once the worker polls. May be called twice."""
    from cartum_roapp import service
    from cartum_roapp.settings import settings

    config = settings()
    with service.use(config) as running:
        started = _ensure_worker(running.home)
        return {
            "ui": running.ui_url,
            "api": running.prefect_api_url,
            "home": str(running.home.root),
            "worker": "started" if started else "was running",
        }


def stop() -> list[str]:
    """Stops the worker, then server and database; gives what was stopped. May be called twice."""
    from cartum_roapp import service
    from cartum_roapp.home import Home
    from cartum_roapp.settings import settings

    config = settings()
    home = Home(config.home)
    stopped = []
    worker, _ = _noted(home)
    if worker is not None and worker.alive():
        worker.stop((signal.SIGTERM, 20.0))
        stopped.append("worker")
    return stopped + service.stop(config)


def worker_runs(home: Home) -> bool:
    """Whether a worker of this home is alive, though perhaps not polling yet."""
    from cartum_roapp.service.lock import is_held
    from deployments.serve import LOCK

    return is_held(home.run / LOCK)


def _ensure_worker(home: Home) -> bool:
    """Waits until the home's worker polls; True if it had to be started."""
    started: Process | None = None
    deadline = time.monotonic() + _TIMEOUT
    while True:
        worker, serving = _noted(home)
        if worker_runs(home):
            if serving and worker is not None and worker.alive():
                return started is not None
        elif started is None:
            started = _spawn(home)
        elif not started.alive():
            raise Retryable("the worker did not start.", fix=f"The reason is at the end of {home.log_path(_LOG)}.")
        if time.monotonic() > deadline:
            raise Retryable("the worker is not up yet.", fix=f"See {home.log_path(_LOG)}, then repeat.")
        time.sleep(0.1)


def _spawn(home: Home) -> Process:
    from cartum_roapp.cli.secrets import API_KEY, SHOP_PASSWORD
    from cartum_roapp.service.process import spawn

    secret = {API_KEY.variable, SHOP_PASSWORD.variable}
    kept = {name: value for name, value in os.environ.items() if name not in secret}
    # Each run has a thread of its own: with glibc's arena for each the worker would seem to grow for ever.
    kept.setdefault("MALLOC_ARENA_MAX", "2")
    with home.open_log(_LOG) as log:
        process, _ = spawn([sys.executable, "-P", "-m", "deployments.serve"], log=log, env=kept)
    return process


def _noted(home: Home) -> tuple[Process | None, bool]:
    """The worker's process, alive or not, and whether it polls."""
    from cartum_roapp.service.process import Process
    from deployments.serve import RECORD

    try:
        record = json_.loads((home.run / RECORD).read_text())
        return Process.load(record["process"]), bool(record["serving"])
    except (OSError, ValueError, KeyError, TypeError):
        return None, False
