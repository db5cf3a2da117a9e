"""`cartum-roapp up | down`: the database, Prefect's server and the worker of this home, in the background."""

from __future__ import annotations

import json as json_
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cartum_roapp.cli.output import Json, say, show, table
from cartum_roapp.errors import Retryable

if TYPE_CHECKING:
    from cartum_roapp.home import Home
    from cartum_roapp.settings import Settings

_WORKER = "worker.json"
_LOCK = "worker.lock"
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
    """Starts what is missing and returns once the worker serves. May be called twice."""
    from cartum_roapp import service
    from cartum_roapp.service.lock import is_held
    from cartum_roapp.settings import settings

    config = settings()
    with service.use(config) as running:
        started = _spawn(config, running.home) if not is_held(running.home.run / _LOCK) else None
        deadline = time.monotonic() + _TIMEOUT
        while not is_held(running.home.run / _LOCK):
            if time.monotonic() > deadline or (started is not None and not started.alive()):
                log = running.home.log_path("worker")
                raise Retryable("the worker did not start.", fix=f"The reason is at the end of {log}.")
            time.sleep(0.1)
        _await_online(running.env, running.home)
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
    from cartum_roapp.service.process import Process
    from cartum_roapp.settings import settings

    config = settings()
    stopped = []
    noted = Home(config.home).run / _WORKER
    worker = Process.load(_noted(noted))
    if worker is not None and worker.alive():
        worker.stop((signal.SIGTERM, 20.0))
        stopped.append("worker")
    noted.unlink(missing_ok=True)
    return stopped + service.stop(config)


def _spawn(config: Settings, home: Home) -> Any:
    from cartum_roapp.service.process import spawn

    with home.open_log("worker") as log:
        environment = {name: value for name, value in os.environ.items() if "SHOP_PASSWORD" not in name}
        process, _ = spawn([sys.executable, "-m", "deployments.serve"], log=log, env=environment, cwd="/")
    (home.run / _WORKER).write_text(json_.dumps(process.dump()))
    return process


def _await_online(environment: dict[str, str], home: Home) -> None:
    """Until the worker has registered itself and polls."""
    os.environ.update(environment)
    import httpx

    api = environment["PREFECT_API_URL"]
    deadline = time.monotonic() + _TIMEOUT
    while time.monotonic() < deadline:
        answer = httpx.post(f"{api}/work_pools/cartum-roapp/workers/filter", json={}, timeout=10)
        if answer.status_code == 200 and any(one.get("status") == "ONLINE" for one in answer.json()):
            return
        time.sleep(0.3)
    say(f"The worker has not reported yet; see {home.log_path('worker')}.")


def _noted(path: Path) -> object:
    try:
        return json_.loads(path.read_text())
    except (OSError, ValueError):
        return None
