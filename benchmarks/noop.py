"""What Prefect itself takes for a run that does nothing: no sync can cost less. With one API server, and with several.

`python -m benchmarks.noop SECONDS TASKS` runs such a flow again and again with Prefect's own engine, and prints how
often.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
from prefect import flow, task

from benchmarks.process import children, cpu_of
from cartum_roapp import service
from cartum_roapp.home import Home
from cartum_roapp.postgres.databases import both, connected
from cartum_roapp.service.prefect_server import AUTH_STRING, CLIENT_AUTH_STRING, api_url, server_environment
from cartum_roapp.settings import Settings

#: Seconds. The first ones are not measured.
MEASURED, WARM, UP_WITHIN = 40.0, 15.0, 120.0
#: Processes that run the flow, and runs at once in each.
ENGINES, AT_ONCE = 2, 8
_SHARED = Path(__file__).parents[1] / "deployments" / "prefect-server.env"
_ROWS = "SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM task_run WHERE state_type = 'COMPLETED')"


@dataclass(frozen=True)
class Arrangement:
    """So many API servers, with Prefect's services in a process of their own (`apart`) or in the server's; and how many
    tasks a run has."""

    servers: int
    apart: bool
    tasks: int

    @property
    def name(self) -> str:
        servers = "one API server" if self.servers == 1 else f"{self.servers} API servers"
        services = "services apart, Redis" if self.apart else "services within"
        return f"{servers}, {services}, {'no task' if self.tasks == 0 else 'one task'}"


ARRANGEMENTS = (
    Arrangement(1, apart=False, tasks=0),
    Arrangement(1, apart=False, tasks=1),
    Arrangement(1, apart=True, tasks=1),
    Arrangement(2, apart=True, tasks=1),
)


@dataclass(frozen=True)
class Recorded:
    """How many runs were recorded in `seconds`, all their events included, and the CPU seconds of each part."""

    name: str
    runs: int
    seconds: float
    cpu: Mapping[str, float]


def measured() -> Iterator[Recorded]:
    """Yields one of each arrangement; where this machine has no Redis, of those only that need none."""
    for arrangement in ARRANGEMENTS:
        if not arrangement.apart or shutil.which("redis-server"):
            with tempfile.TemporaryDirectory() as place, _Parts(arrangement, Path(place)) as parts:
                parts.run(WARM)
                yield parts.recorded()


class _Parts(ExitStack):
    """The processes of one arrangement, with a home whose PostgreSQL they use."""

    def __init__(self, arrangement: Arrangement, place: Path) -> None:
        super().__init__()
        self.arrangement = arrangement
        self.place = place
        self.pids: dict[str, list[int]] = {}
        self.ports = [_free_port() for _ in range(arrangement.servers)]

    def __enter__(self) -> _Parts:
        config = Settings(home=self.place / "home", database_url=None)
        self.callback(service.stop, config)
        service.start(config, ["postgres"])
        self.pids["PostgreSQL"] = [service.state(config).pids["postgres"]]
        home, (_, self.database) = Home(config.home), both(config)
        own = server_environment(home, self.ports[0], self.database, {})
        self.environment = {**os.environ, **own, CLIENT_AUTH_STRING: own[AUTH_STRING]}
        if self.arrangement.apart:
            self._redis()
        upgrade = [*_PREFECT, "database", "upgrade", "-y"]
        subprocess.run(upgrade, env=self.environment, cwd=self.place, check=True, capture_output=True)
        services = ["--no-services"] if self.arrangement.apart else []
        for port in self.ports:
            self._start("API servers", *_PREFECT, "start", *services, "--host", "127.0.0.1", "--port", str(port))
            _wait_for(port)
        if self.arrangement.apart:
            self._start("services", *_PREFECT, "services", "start")
        return self

    def recorded(self) -> Recorded:
        self._settled()
        before, began = self._cpu(), time.monotonic()
        runs = self.run(MEASURED)
        ended, after = self._settled(), self._cpu()
        cpu = {part: after[part] - before[part] for part in before}
        return Recorded(self.arrangement.name, runs, ended - began, cpu)

    def run(self, seconds: float) -> int:
        """Returns how many runs ended. Several processes run them, so that Prefect's engine is not the limit."""
        command = [sys.executable, "-m", "benchmarks.noop", str(seconds), str(self.arrangement.tasks)]
        engines = []
        for number in range(ENGINES):
            own = {"PREFECT_API_URL": api_url(self.ports[number % len(self.ports)]),
                   "PREFECT_LOGGING_TO_API_ENABLED": "false", "PREFECT_LOGGING_LEVEL": "ERROR"}  # fmt: skip
            engines.append(
                subprocess.Popen(command, env={**self.environment, **own}, stdout=subprocess.PIPE, text=True)
            )
        return sum(int(engine.communicate()[0]) for engine in engines)

    def _redis(self) -> None:
        port = _free_port()
        self._start("Redis", "redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "")
        lines = (line for line in _SHARED.read_text().splitlines() if line and not line.startswith("#"))
        self.environment |= dict(line.split("=", 1) for line in lines)
        self.environment["PREFECT_REDIS_MESSAGING_URL"] = f"redis://127.0.0.1:{port}/0"
        self.environment["PREFECT_SERVER_DOCKET_URL"] = f"redis://127.0.0.1:{port}/1"

    def _start(self, part: str, *command: str) -> None:
        process = subprocess.Popen(
            command, env=self.environment, cwd=self.place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.callback(process.wait)
        self.callback(process.terminate)
        self.pids.setdefault(part, []).append(process.pid)

    def _settled(self) -> float:
        """Returns when the last row was stored, once there were none for some seconds."""
        with connected(self.database) as made, made.cursor() as cursor:
            rows, since = -1, time.monotonic()
            while time.monotonic() < since + 5:
                cursor.execute(_ROWS)
                ((now,),) = cursor.fetchall()
                if now != rows:
                    rows, since = now, time.monotonic()
                time.sleep(0.2)
        return since

    def _cpu(self) -> dict[str, float]:
        return {
            part: sum(cpu_of(pid) + sum(map(cpu_of, children(pid))) for pid in pids) for part, pids in self.pids.items()
        }


_PREFECT = (sys.executable, "-m", "prefect", "server")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + UP_WITHIN
    while time.monotonic() < deadline:
        with suppress(httpx.HTTPError):
            if httpx.get(f"{api_url(port)}/health", trust_env=False).status_code == 200:
                return
        time.sleep(0.2)
    raise SystemExit("Prefect's server does not start")


@task
async def step() -> None:
    pass


@flow
async def nothing(tasks: int) -> None:
    for _ in range(tasks):
        await step()


async def _run(seconds: float, tasks: int) -> int:
    runs, until = 0, time.monotonic() + seconds

    async def again() -> None:
        nonlocal runs
        while time.monotonic() < until:
            await nothing(tasks)
            runs += 1

    await asyncio.gather(*(again() for _ in range(AT_ONCE)))
    return runs


if __name__ == "__main__":
    print(asyncio.run(_run(float(sys.argv[1]), int(sys.argv[2]))))
