"""Programs that this machine has of its own, and a PostgreSQL of them: the oldest that is supported."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg2

from cartum_roapp.postgres.system_user import SystemUser
from cartum_roapp.service.patience import wait_until

OLDEST = 14


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
    if (found := shutil.which(name)) is None and os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (["update"], ["install", "-y", "--no-install-recommends", package]):
            subprocess.run(["apt-get", *command], check=False, capture_output=True)
        found = shutil.which(name)
    assert found, f"{name} is needed: install your system's package {package}, then repeat"
    return found


@contextmanager
def served(binaries: Path, place: Path) -> Iterator[str]:
    """The URL of a server with these programs (superuser, database `postgres`), its data in `place`."""
    data, password = place / "data", secrets.token_hex(16)
    data.mkdir(mode=0o700)
    user = SystemUser.of(data, binaries).for_initdb()
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    (key := place / "password").write_text(password)
    user.own(data)
    if user.uid is not None:
        os.chown(key, user.uid, user.uid)
    options = ["--username=postgres", "--auth=scram-sha-256", f"--pwfile={key}", "--encoding=UTF8", "--no-locale", "-N"]
    initdb = user.command([str(binaries / "initdb"), "-D", str(data), *options])
    subprocess.run(initdb, check=True, env=environment, cwd=data, stdout=subprocess.DEVNULL)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off",
                "max_connections": 400}  # fmt: skip
    given = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    command = user.command([str(binaries / "postgres"), "-D", str(data), *given])
    with (place / "log").open("w") as log:
        server = subprocess.Popen(command, env=environment, cwd=data, stdout=log, stderr=log, start_new_session=True)
    url = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"

    def answers() -> bool:
        assert server.poll() is None, (place / "log").read_text()
        with suppress(psycopg2.OperationalError):
            psycopg2.connect(url).close()
            return True
        return False

    try:
        assert wait_until(answers, 60, pause=0.1)
        yield url
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)
