"""Starts, adopts, watches and stops the embedded PostgreSQL of a home."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
from psycopg2 import extensions

from cartum_roapp.errors import BadConfig, Retryable
from cartum_roapp.home import Home, unusable
from cartum_roapp.service import socket_folder
from cartum_roapp.service.cluster import (
    LOG,
    SUPERUSER,
    binaries,
    ensure_cluster,
    raise_if_permanent,
    server_environment,
    start_failure,
)
from cartum_roapp.service.process import Process, command_of, processes_in, spawn, wait_until
from cartum_roapp.service.system_user import SystemUser

# Seconds: the server answers only after its recovery, which may take minutes.
_RECOVERY = 900.0
_TRIES = 6

# Statements and values have buyers' phones, so their errors go to the client and not into the log.
OPTIONS = {
    "listen_addresses": "",
    "port": str(socket_folder.PORT),
    "max_connections": "200",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
    "logging_collector": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "lc_messages": "C",
    "max_logical_replication_workers": "0",
    "cluster_name": "cartum-roapp",
}


#: A server that asks for the password in another form is a false one, and is not sent it.
AUTHENTICATION = "scram-sha-256"


class PostgresServer:
    """The server of one home. Only the holder of the home's keeper lock may start or stop it."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.data = home.postgres / "data"
        self.process: Process | None = None

    def alive(self) -> bool:
        """Returns whether it runs and can be reached: somebody may have emptied /tmp, where its socket may be."""
        return self.process is not None and self.process.alive() and socket_folder.path(self.home).exists()

    @contextlib.contextmanager
    def connect(self, database: str = "postgres", *, user: str = SUPERUSER) -> Iterator[extensions.connection]:
        """Yields a connection with autocommit, as the superuser or as the owner of our databases. Raises psycopg2's
        errors."""
        password = self.home.superuser_password() if user == SUPERUSER else self.home.database_password()
        made = psycopg2.connect(
            host=str(socket_folder.of(self.home)),
            port=socket_folder.PORT,
            dbname=database,
            user=user,
            password=password,
            connect_timeout=5,
            require_auth=AUTHENTICATION,
        )
        try:
            made.autocommit = True
            yield made
        finally:
            made.close()

    def start(self, abandoned: Callable[[], bool] = lambda: False) -> None:
        """Adopts the running server or starts one. Returns when it answers, after its recovery.

        May be called again after the server died. Stops waiting when `abandoned` returns True. Raises BadConfig or
        Retryable, which name the log.
        """
        user = SystemUser.of(self.data, binaries())
        try:
            ensure_cluster(self.home, self.data, user)
            for _ in range(_TRIES):
                began = self.home.log_size(LOG)
                self.process = self.running()
                if self.process is not None and not self.alive():
                    self.stop()
                if self.process is None:
                    self._clear()
                    self.process = self._launch(user, socket_folder.clear(self.home, user))
                if self._answers(abandoned) or abandoned():
                    return
                raise_if_permanent(self.home, began)
                time.sleep(0.2)
        except OSError as error:
            raise unusable(error) from None
        raise start_failure(self.home, "PostgreSQL did not start.")

    def stop(self, *, at_once: bool = False) -> bool:
        """Shuts the server down (`at_once`: without a last checkpoint). Returns False if none ran."""
        process = self.process if self.process is not None and self.process.alive() else self.running()
        if process is None:
            return False
        orderly = [] if at_once else [(signal.SIGINT, 60.0)]
        process.stop(*orderly, (signal.SIGQUIT, 10.0))
        self.process = None
        return True

    def running(self) -> Process | None:
        """Returns the postmaster of this home if one runs. A process that only has the same number does not count."""
        try:
            pid = abs(int((self.data / "postmaster.pid").read_text("utf-8", "replace").split()[0]))
        except (OSError, ValueError, IndexError):
            return None
        process, command = Process.of(pid), command_of(pid)
        if process is None or str(self.data) not in command or os.path.basename(command[0]) != "postgres":
            return None
        return process

    def _launch(self, user: SystemUser, sockets: Path) -> Process:
        # Quoted, as the server reads a list of folders.
        where = {"unix_socket_directories": '"' + str(sockets).replace('"', '""') + '"'}
        options = [f"{name}={value}" for name, value in {**OPTIONS, **where}.items()]
        command = [str(binaries() / "postgres"), "-D", str(self.data)]
        for option in options:
            command += ["-c", option]
        with self.home.open_log(LOG) as log:
            return spawn(user.command(command), log=log, env=server_environment(), cwd=self.data)[0]

    def _answers(self, abandoned: Callable[[], bool]) -> bool:
        """Waits until the server accepts a login. Returns False if it ended."""
        process = self.process
        assert process is not None

        def settled() -> bool:
            if abandoned() or not process.alive():
                return True
            try:
                with self.connect():
                    return True
            except psycopg2.OperationalError as error:
                if "password authentication failed" in str(error):
                    raise BadConfig(
                        f"The embedded database does not know the password in {self.home.keys / 'superuser'}.",
                        fix="Put back that file from the backup that the database came from.",
                    ) from None
                return False

        if not wait_until(settled, _RECOVERY, pause=0.03):
            raise Retryable(f"PostgreSQL is still recovering; see {self.home.log_path(LOG)}.", fix="Wait, then repeat.")
        return process.alive()

    def _clear(self) -> None:
        """Removes what a killed postmaster left: its file, and backends that still run."""
        orphans = [process for process in processes_in(self.data) if command_of(process.pid)[0].startswith("postgres:")]
        wait_until(lambda: not any(process.alive() for process in orphans), 3.0)
        for process in orphans:
            process.signal(signal.SIGKILL)
        (self.data / "postmaster.pid").unlink(missing_ok=True)
