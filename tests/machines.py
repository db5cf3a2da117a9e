"""An installation over many machines: PostgreSQL, Redis, two of Prefect's API servers behind a balancer, Prefect's
services apart from them, and workers that each have a home of their own. All of them are processes here."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg2
from cryptography.fernet import Fernet
from installation import Installation
from outside_server import oldest, program, served
from pages import ROOT
from prefect_api import client
from pydantic import SecretStr
from relay import Relay

from cartum_roapp.postgres.cluster import binaries
from cartum_roapp.service.patience import wait_until
from cartum_roapp.settings import Settings
from sandbox import Sandbox

SETTINGS = ROOT / "deployments" / "prefect-server.env"
CADDYFILE = ROOT / "deployments" / "Caddyfile"
SERVERS = 2
#: Seconds. The machines of the tests are slow.
UP_WITHIN = 120.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def settings_of(path: Path) -> dict[str, str]:
    """The variables of an env file."""
    lines = (line for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


class Part:
    """One process group, which can be killed and started again."""

    def __init__(self, command: list[str], environment: Mapping[str, str], log: Path, up: Callable[[], bool]) -> None:
        self.command = command
        self.environment = dict(environment)
        self.log = log
        self.up = up
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, cwd=self.log.parent, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True,
            )  # fmt: skip

    def wait(self) -> None:
        """Returns once it answers."""

        def is_up() -> bool:
            assert self.process is not None and self.process.poll() is None, self.log.read_text()[-3000:]
            return self.up()

        assert wait_until(is_up, UP_WITHIN, pause=0.1), self.log.read_text()[-3000:]

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            self.process.wait(60)
            self.process = None


class Machines:
    """`environment` is what a machine with a worker needs."""

    def __init__(self, place: Path, postgres: str) -> None:
        self.place = place
        self.postgres = postgres
        self.redis_port, self.front_port = free_port(), free_port()
        self.ports = [free_port() for _ in range(SERVERS)]
        self.auth = f"admin:{secrets.token_urlsafe(24)}"
        self.api = f"http://127.0.0.1:{self.front_port}/api"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "CARTUM_ROAPP_"))}
        redis = f"redis://127.0.0.1:{self.redis_port}"
        self.server_environment = {
            **kept, **settings_of(SETTINGS),
            "PREFECT_HOME": str(place / "prefect"), "PREFECT_PROFILES_PATH": str(place / "prefect" / "profiles.toml"),
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": self.database("prefect", "postgresql+asyncpg"),
            "PREFECT_REDIS_MESSAGING_URL": f"{redis}/0", "PREFECT_SERVER_DOCKET_URL": f"{redis}/1",
            "PREFECT_SERVER_API_AUTH_STRING": self.auth, "PREFECT_API_AUTH_STRING": self.auth,
            "PREFECT_SERVER_ENCRYPTION_KEY": Fernet.generate_key().decode(),
            "PREFECT_SERVER_UI_API_URL": self.api,
        }  # fmt: skip
        self.environment = {
            **kept, "CARTUM_ROAPP_DATABASE_URL": self.database("ledger"),
            "PREFECT_API_URL": self.api, "PREFECT_API_AUTH_STRING": self.auth,
        }  # fmt: skip
        command = [program("redis-server", "redis-server"), "--port", str(self.redis_port), "--bind", "127.0.0.1"]
        self.redis = self._part("redis", [*command, "--save", "", "--dir", str(place)], self._redis_answers)
        self.services = self._prefect("services", "services", "start")
        self.servers = [self._server(n, port) for n, port in enumerate(self.ports, 1)]
        upstreams = " ".join(f"127.0.0.1:{port}" for port in self.ports)
        site = {
            "PREFECT_SITE": f"http://127.0.0.1:{self.front_port}",
            "PREFECT_BIND": "127.0.0.1",
            "PREFECT_SERVERS": upstreams,
            "HOME": str(place),
        }
        command = [program("caddy", "caddy"), "run", "--adapter", "caddyfile", "--config", str(CADDYFILE)]
        self.front = self._part("front", command, self._api_answers, **site)

    def relay(self) -> Relay:
        """A way to the database that can be cut."""
        return Relay(urlsplit(self.postgres).port or 0)

    def database(self, name: str, scheme: str = "postgresql") -> str:
        return f"{scheme}://{self.postgres.partition('://')[2].rpartition('/')[0]}/{name}"

    def start(self) -> None:
        made = psycopg2.connect(self.postgres)
        made.autocommit = True
        with made.cursor() as cursor:
            for name in ("ledger", "prefect"):
                cursor.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
        made.close()
        self.redis.start()
        self.redis.wait()
        command = [sys.executable, "-m", "prefect", "server", "database", "upgrade", "-y"]
        done = subprocess.run(
            command, env=self.server_environment, cwd=self.place, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        # One after the other: the first server also stores Prefect's types of blocks.
        for part in (*self.servers, self.services, self.front):
            part.start()
            part.wait()

    def stop(self) -> None:
        for part in (self.front, *self.servers, self.services, self.redis):
            part.kill(signal.SIGKILL)

    def _part(self, name: str, command: list[str], up: Callable[[], bool], **more: str) -> Part:
        return Part(command, {**self.environment, **more}, self.place / f"{name}.log", up)

    def _prefect(self, name: str, *words: str, up: Callable[[], bool] = lambda: True) -> Part:
        return Part(
            [sys.executable, "-m", "prefect", "server", *words], self.server_environment, self.place / f"{name}.log", up
        )

    def _server(self, n: int, port: int) -> Part:
        return self._prefect(f"server-{n}", "start", "--no-services", "--host", "127.0.0.1", "--port", str(port),
                             up=lambda: _answers(f"http://127.0.0.1:{port}/api/health"))  # fmt: skip

    def _api_answers(self) -> bool:
        return _answers(f"{self.api}/health")

    def _redis_answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.redis_port), timeout=1):
            return True
        return False


def _answers(address: str) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(address, timeout=5, trust_env=False).status_code == 200
    return False


@contextmanager
def running(place: Path) -> Iterator[Machines]:
    with ExitStack() as stack:
        postgres = stack.enter_context(served(oldest() or binaries(), place))
        machines = Machines(place, postgres)
        stack.callback(machines.stop)
        machines.start()
        yield machines


class Machine(Installation):
    """A machine with a worker and a console: a home of its own, the database and Prefect's servers of all. `port` leads
    to the database."""

    def __init__(self, home: Path, box: Sandbox, machines: Machines, port: int | None = None) -> None:
        super().__init__(home, box)
        self.machines = machines
        self.url = machines.environment["CARTUM_ROAPP_DATABASE_URL"]
        own = self.url.replace(f":{urlsplit(self.url).port}/", f":{port}/") if port else self.url
        self.shell.environment |= {
            **machines.environment,
            "CARTUM_ROAPP_HOME": str(home),
            "CARTUM_ROAPP_DATABASE_URL": own,
        }
        del self.shell.environment["CARTUM_ROAPP_ROAPP_INTERVAL"]
        self.config = Settings(home=home, database_url=SecretStr(own))

    def foreground(self, *words: str, up: Callable[[], bool]) -> Part:
        """A command that ends when it is killed, as a container runs it."""
        environment = self.shell.environment
        return Part(
            [sys.executable, "-m", "cartum_roapp.cli.app", *words], environment, self.home.with_suffix(".log"), up
        )

    @cached_property
    def prefect(self) -> httpx.Client:
        return client(self.machines.api, self.machines.auth)
