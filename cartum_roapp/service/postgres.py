"""The embedded PostgreSQL of a home, as a program that its supervisor keeps up."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg2

from cartum_roapp.errors import BadConfig, IntegrationError, Retryable
from cartum_roapp.home import Home, disk_failure
from cartum_roapp.postgres import embedded, socket_folder
from cartum_roapp.postgres.cluster import (
    LOG,
    binaries,
    ensure_cluster,
    raise_if_permanent,
    server_environment,
    start_failure,
)
from cartum_roapp.postgres.system_user import SystemUser
from cartum_roapp.service.child import Child, end_all, identity, living

_TRIES = 3

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
}


class Postgres(Child):
    """The embedded PostgreSQL of one home."""

    name = LOG
    ending = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0))

    def __init__(self, home: Home, environment: Mapping[str, str]) -> None:
        super().__init__(home, environment)
        self.data = home.postgres / "data"
        self._log_began = 0

    def alive(self) -> bool:
        """Returns whether it runs and can be reached: somebody may have emptied /tmp, where its socket may be."""
        return super().alive() and (not self.answering.has_answered or socket_folder.path(self.home).exists())

    def command(self) -> list[str]:
        """Makes the data directory if it is missing. Ends a server that was left over. Raises BadConfig, Retryable and
        OSError."""
        self._log_began = self.home.log_size(LOG)
        user = SystemUser.of(self.data, binaries())
        ensure_cluster(self.home, self.data, user)
        end_left_over(self.home)
        self._forget_last()
        folder = str(socket_folder.clear(self.home, user))
        # Quoted, as the server reads a list of folders.
        where = {
            "unix_socket_directories": '"' + folder.replace('"', '""') + '"',
            "cluster_name": _cluster_name(self.home),
        }
        command = [str(binaries() / "postgres"), "-D", str(self.data)]
        for name, value in {**OPTIONS, **where}.items():
            command += ["-c", f"{name}={value}"]
        return user.command(command)

    def _forget_last(self) -> None:
        """Deletes the file in which the last server wrote its number. Raises BadConfig if that one is alive: an older
        version, which marks its processes in another way, may still run here."""
        path = self.data / "postmaster.pid"
        with suppress(psutil.Error, OSError, ValueError, IndexError):
            pid = int(path.read_text().split()[0])
            command = psutil.Process(pid).cmdline()
            if os.path.samefile(command[command.index("-D") + 1], self.data):
                raise BadConfig(
                    f"Another PostgreSQL (process {pid}) runs on {self.data}.",
                    field="CARTUM_ROAPP_HOME",
                    fix="Type `cartum-roapp down` with the version that started it, or end it: "
                    f"kill -INT {pid}. Then repeat.",
                )
        path.unlink(missing_ok=True)

    def variables(self) -> dict[str, str]:
        return server_environment()

    def directory(self) -> Path:
        return self.data

    def answers(self) -> bool:
        """Returns whether it takes logins, which it does after its recovery. Then makes the databases that are missing.
        Raises BadConfig if it does not know the password."""
        if self.answering.has_answered:
            return socket_folder.answers(self.home)
        try:
            embedded.prepare(self.home)
        except psycopg2.Error as error:
            if "password authentication failed" in str(error):
                raise BadConfig(
                    f"The embedded database does not know the password in {self.home.keys / 'superuser'}.",
                    fix="Put back that file from the backup that the database came from.",
                ) from None
            if isinstance(error, psycopg2.OperationalError) and error.pgcode is None:
                return False  # it takes no connections yet
            failed = Retryable(f"The databases could not be made ({type(error).__name__}).", fix="Repeat.")
            raise disk_failure(error) or failed from None
        return True

    def failure(self) -> IntegrationError | None:
        try:
            raise_if_permanent(self.home, self._log_began)
        except IntegrationError as error:
            return error
        return start_failure(self.home, "PostgreSQL did not start.") if self.deaths >= _TRIES else None


def end_left_over(home: Home) -> bool:
    """Ends the server that a killed supervisor left, or the processes that a killed server left. Returns whether there
    were any, and all are gone."""
    return end_all(lambda: _of_cluster(home), Postgres.ending)


def _cluster_name(home: Home) -> str:
    return f"cartum-roapp-{identity(home)}"


def _of_cluster(home: Home) -> list[psutil.Process]:
    """Returns the processes of a data directory. All may read command lines: the server's has the cluster's name among
    the settings, those of its backends begin with it."""
    found = []
    for process in living():
        with suppress(psutil.Error, OSError):
            if _is_of_cluster(process, home):
                found.append(process)
    return found


def _is_of_cluster(process: psutil.Process, home: Home) -> bool:
    """Raises psutil.Error, OSError."""
    data, name = home.postgres / "data", _cluster_name(home)
    command = process.cmdline()
    is_ours = f"cluster_name={name}" in command or "".join(command[:1]).startswith(f"postgres: {name}: ")
    owners = {os.geteuid(), *(place.stat().st_uid for place in [data] if place.exists())}
    return is_ours and process.uids().real in owners
