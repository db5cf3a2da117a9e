"""A PostgreSQL with a hot standby behind one address, as a balancer or a moved address gives it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psycopg2
from outside_server import ENVIRONMENT, Server, made, started
from relay import Relay

from cartum_roapp.postgres.system_user import SystemUser
from cartum_roapp.service.patience import wait_until

#: Seconds.
FOLLOWS_WITHIN = 30.0


class Pair:
    """`url` is the address that leads to the server in use (superuser, database `postgres`)."""

    def __init__(self, stack: ExitStack, binaries: Path, place: Path, password: str) -> None:
        self._binaries = binaries
        self._place = place
        self._password = password
        self._stack = stack
        self._first = self._started(place / "first")
        self._address = stack.enter_context(Relay(self._first.port))
        self._replication: Relay | None = None
        self._second: Server | None = None
        self._count = 0

    @property
    def url(self) -> str:
        return _behind(self._first.url, self._address)

    def replicate(self, *, synchronous: bool) -> None:
        """Returns once a standby follows. Synchronous: a commit returns when the standby has it."""
        self._count += 1
        data = self._place / f"standby-{self._count}"
        data.mkdir(mode=0o700)
        user = SystemUser.of(self._first.data, self._binaries)
        user.own(data)
        relay = self._replication = self._stack.enter_context(Relay(self._first.port))
        copy = [str(self._binaries / "pg_basebackup"), "-D", str(data), "-R", "-c", "fast", "-d"]
        command = user.command([*copy, _behind(self._first.url, relay)])
        subprocess.run(command, check=True, env=ENVIRONMENT, cwd=data, stdout=subprocess.DEVNULL)
        self._second = self._started(data)
        if synchronous:
            self._tell("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
        wanted = "sync" if synchronous else "async"
        state = f"SELECT 1 FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = '{wanted}'"
        assert wait_until(lambda: bool(self._tell(state)), FOLLOWS_WITHIN, pause=0.05)

    def falls_behind(self) -> None:
        """From now on the standby receives nothing."""
        assert self._replication
        self._replication.cut()

    def fail_over(self) -> None:
        """The server in use is gone, and the standby takes its place and its address."""
        assert self._second
        gone, self._first, self._second = self._first, self._second, None
        gone.kill()
        shutil.rmtree(gone.data)
        self._tell("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
        assert self._tell("SELECT pg_promote()") == [(True,)]
        self._address.lead_to(self._first.port)

    def _started(self, data: Path) -> Server:
        server = started(self._binaries, data, self._password)
        self._stack.callback(server.stop)
        return server

    def _tell(self, *statements: str) -> list[tuple[object, ...]]:
        """The last one's rows."""
        with closing(psycopg2.connect(self._first.url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return list(cursor.fetchall()) if cursor.description else []


@contextmanager
def pair(binaries: Path, place: Path) -> Iterator[Pair]:
    with ExitStack() as stack:
        yield Pair(stack, binaries, place, made(binaries, place / "first"))


def _behind(url: str, relay: Relay) -> str:
    """The same server's address by way of the relay."""
    return re.sub(r":\d+/", f":{relay.port}/", url)
