"""Programs that this machine has of its own, and a PostgreSQL of them: the oldest that is supported."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg2

from cartum_roapp.postgres.system_user import SystemUser
from cartum_roapp.service.patience import wait_until

OLDEST = 14
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def oldest() -> Path | None:
    """The folder of the oldest server's programs, 14 or newer; None where the machine has none."""
    found = {int(version.group()): program.parent for program in _programs() if (version := _major(program))}
    return min(((major, place) for major, place in found.items() if major >= OLDEST), default=(0, None))[1]


def _programs() -> Iterator[Path]:
    """Where Debian and Red Hat keep them, and the one of the PATH."""
    for pattern in ("lib/postgresql/*/bin/postgres", "pgsql-*/bin/postgres"):
        yield from Path("/usr").glob(pattern)
    if named := shutil.which("postgres"):
        yield Path(named).resolve()


def _major(program: Path) -> re.Match[str] | None:
    shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    return re.search(r"(?<= )\d+(?=[.\w])", shown)


def program(name: str, package: str) -> str:
    """The path of a program, which is installed from Debian's package where it is missing and this user may do that."""
    return _installed(lambda: shutil.which(name), name, package)


def library(name: str, package: str) -> str:
    """The path of a library, as `program`."""
    places = ("lib/*", "lib64", "lib")
    return _installed(
        lambda: next((str(one) for place in places for one in Path("/usr").glob(f"{place}/{name}")), None),
        name,
        package,
    )


def _installed(find: Callable[[], str | None], name: str, package: str) -> str:
    if (found := find()) is None and os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (["update"], ["install", "-y", "--no-install-recommends", package]):
            subprocess.run(["apt-get", *command], check=False, capture_output=True)
        found = find()
    assert found, f"{name} is needed: install your system's package {package}, then repeat"
    return found


class Server:
    """A server that runs. `url` is its superuser's address, of the database `postgres`."""

    def __init__(self, data: Path, url: str, process: subprocess.Popen[bytes]) -> None:
        self.data = data
        self.url = url
        self._process = process

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def answers(self) -> bool:
        assert self._process.poll() is None, self.data.with_suffix(".log").read_text()
        with suppress(psycopg2.OperationalError):
            psycopg2.connect(self.url).close()
            return True
        return False

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)

    def kill(self) -> None:
        """All of its processes at once, as if its machine were gone."""
        postmaster = psutil.Process(self._process.pid)
        postmaster.suspend()
        for one in (*postmaster.children(recursive=True), postmaster):
            with suppress(psutil.NoSuchProcess):
                one.kill()
        self._process.wait(30)


@contextmanager
def served(binaries: Path, place: Path) -> Iterator[str]:
    """The URL of a server with these programs (superuser, database `postgres`), its data in `place`."""
    data = place / "data"
    password = made(binaries, data)
    server = started(binaries, data, password)
    try:
        yield server.url
    finally:
        server.stop()


def made(binaries: Path, data: Path) -> str:
    """Makes the data of a server. Gives its superuser's password."""
    password = secrets.token_hex(16)
    data.mkdir(mode=0o700)
    user = SystemUser.of(data, binaries).for_initdb()
    (key := data.with_suffix(".password")).write_text(password)
    user.own(data)
    if user.uid is not None:
        os.chown(key, user.uid, user.uid)
    options = ["--username=postgres", "--auth=scram-sha-256", f"--pwfile={key}", "--encoding=UTF8", "--no-locale", "-N"]
    initdb = user.command([str(binaries / "initdb"), "-D", str(data), *options])
    subprocess.run(initdb, check=True, env=ENVIRONMENT, cwd=data, stdout=subprocess.DEVNULL)
    return password


def started(binaries: Path, data: Path, password: str, **environment: str) -> Server:
    """A server of this data. Returns once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off",
                "max_connections": 400, "dynamic_shared_memory_type": "mmap"}  # fmt: skip
    given = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    command = SystemUser.of(data, binaries).command([str(binaries / "postgres"), "-D", str(data), *given])
    with data.with_suffix(".log").open("w") as log:
        process = subprocess.Popen(
            command, env={**ENVIRONMENT, **environment}, cwd=data, stdout=log, stderr=log, start_new_session=True
        )
    server = Server(data, f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres", process)
    try:
        assert wait_until(server.answers, 60, pause=0.1)
    except BaseException:
        server.stop()
        raise
    return server
