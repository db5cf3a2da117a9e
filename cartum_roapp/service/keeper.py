"""The process of a home that owns its database and its Prefect server: python -m cartum_roapp.service.keeper

It starts what the client processes of the home need, and from `up` to `down` a worker and the console, and restarts
what dies. It stops everything and ends on SIGTERM, when the home is deleted, or when the home had no client process for
`linger` seconds and no worker is wanted. Client processes are known by the file locks that they hold, so a killed one
leaves nothing to clean up. A killed keeper leaves worker and servers running, which the next keeper adopts; the console
ends with it.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import psycopg2

from cartum_roapp import logs
from cartum_roapp.errors import IntegrationError, Retryable
from cartum_roapp.home import Home, unusable
from cartum_roapp.service import worker
from cartum_roapp.service.back_off import BackOff
from cartum_roapp.service.cluster import LOG as POSTGRES
from cartum_roapp.service.console import LOG as CONSOLE
from cartum_roapp.service.console import ConsoleServer
from cartum_roapp.service.database_url import DatabaseUrl
from cartum_roapp.service.databases import PREFECT as PREFECT_DATABASE
from cartum_roapp.service.databases import embedded_url, prepare_embedded
from cartum_roapp.service.lock import FileLock, is_held
from cartum_roapp.service.migration_lock import MigrationLock
from cartum_roapp.service.postgres import PostgresServer
from cartum_roapp.service.prefect_server import LOG as PREFECT
from cartum_roapp.service.prefect_server import PrefectServer
from cartum_roapp.service.process import Process
from cartum_roapp.service.state import KEEPER_LOCK, PREFECT_LOCK, USERS_LOCK, State, kind_of, variables_of
from cartum_roapp.settings import Settings, settings

log = logging.getLogger("cartum_roapp.service.keeper")  # as a program its name is another

_TICK = 0.1  # seconds between two checks
_ROTATE_EVERY = 10.0  # seconds


class Keeper:
    """`lock` is the home's keeper lock, which this process holds. `run` returns when nothing is needed any more.

    external_database   the person's own PostgreSQL; None: the embedded one
    worker_started_at   when the worker was started last, seconds since 1970; `worker_died_at` is when it died last
    prefect_ready       the Prefect server answered, and has not died since
    adopted             an earlier keeper started the Prefect server
    """

    def __init__(self, home: Home, config: Settings, lock: FileLock) -> None:
        self.home = home
        self.linger = config.linger
        self.lock = lock
        self.client_lock = FileLock(home.run / USERS_LOCK)
        self.external_database = DatabaseUrl.parse(config.database_url) if config.database_url else None
        self.postgres = None if self.external_database else PostgresServer(home)
        self.prefect = PrefectServer(home, os.environ)
        self.migration = MigrationLock()
        self.console = ConsoleServer(home, os.environ)
        self.worker: Process | None = None
        self.worker_started_at = self.worker_died_at = 0.0
        self.rotates_at = 0.0
        self.stopping = False
        self.prefect_ready = False
        self.adopted = False
        self.idle_since: float | None = None
        self.database_back_off, self.prefect_back_off = BackOff(), BackOff()
        self.worker_back_off, self.console_back_off = BackOff(), BackOff()
        me = Process.of(os.getpid())
        self.state = State(
            phase="starting",
            kind=kind_of(home, config),
            variables=variables_of(home, os.environ),
            keeper=me.dump() if me else {},
        )
        self.written: State | None = None

    def run(self) -> None:
        """Raises IntegrationError if the database can't be started the first time, and OSError, for example for a full
        disk or a program that can't be started."""
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "stopping", True))
        signal.signal(signal.SIGINT, lambda *_: setattr(self, "stopping", True))
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            self._write_state()
            self._start_prefect()
            self._start_database()
            while not self._is_over():
                self._keep_database_up()
                self._keep_prefect_up()
                self._keep_worker_up()
                self._keep_console_up()
                self.prefect.forget_errors()
                with suppress(OSError):  # a full disk: written later
                    self._write_state()
                if time.monotonic() >= self.rotates_at:
                    self.home.rotate_logs()
                    self.rotates_at = time.monotonic() + _ROTATE_EVERY
                time.sleep(_TICK)
        except IntegrationError as error:
            self.state = self.state.failed(error)
            raise
        finally:
            self._end()

    def _is_over(self) -> bool:
        if self.stopping or not self.lock.is_current():
            return True
        if is_held(self.client_lock.path) or worker.is_wanted(self.home):
            self.idle_since = None
            return False
        now = time.monotonic()
        self.idle_since = self.idle_since or now
        # With this lock held, new client processes wait until everything is down and then start another keeper.
        return now - self.idle_since >= self.linger and self.client_lock.acquire()

    def _must_end(self) -> bool:
        return self.stopping or not self.lock.is_current()

    def _prefect_wanted(self) -> bool:
        """Returns whether the server is to be started: a client process needs it now, or it ran before and died. A
        server that once ran is kept up until the end, as the next command probably needs it as well."""
        return self.prefect_back_off.deaths > 0 or is_held(self.home.run / PREFECT_LOCK)

    def _start_database(self) -> None:
        if self.postgres is None:
            self.state = replace(self.state, phase="running")
            return
        self.postgres.start(self._must_end)
        if self._must_end():
            return
        try:
            prepare_embedded(self.postgres)
        except psycopg2.Error as error:
            raise Retryable(f"The databases could not be made ({type(error).__name__}).", fix="Repeat.") from None
        self.state = replace(self.state, phase="running", database=True)

    def _keep_database_up(self) -> None:
        if self.postgres is None or (self.state.database and self.postgres.alive()):
            return
        if self.state.database:
            log.warning("the database has ended; it is started again")
            self.state = replace(self.state, database=False)
            self.database_back_off.died()
            self._write_state()
        if self.database_back_off.may_restart():
            try:
                self._start_database()
            except IntegrationError as error:
                self.state = self.state.failed(error)
                self.database_back_off.died()

    def _prefect_database(self) -> DatabaseUrl:
        if self.external_database:
            return self.external_database.prefect()
        return embedded_url(self.home, PREFECT_DATABASE)

    def _start_prefect(self) -> None:
        """Adopts the server that an earlier keeper left, otherwise starts one if a client process needs it."""
        database = self._prefect_database()
        self.adopted = self.prefect.adopt(database)
        if not self.adopted and self._prefect_wanted():
            self.prefect.warm_up(database)

    def _keep_prefect_up(self) -> None:
        if self.prefect_ready and self.prefect.alive():
            return
        if self.prefect_ready or (self.prefect.process is not None and not self.prefect.alive()):
            self._prefect_died()
        if self.prefect.process is None:
            if self.prefect_back_off.may_restart() and self._prefect_wanted():
                try:
                    self._start_prefect()
                except (IntegrationError, OSError) as error:
                    self._failed(error)
                    self.prefect_back_off.died()
        elif self._database_answers():
            if self.adopted or self.migration.acquire(self._prefect_database()):
                self.prefect.go()
            if self.prefect.healthy():
                self.migration.release()
                self.prefect_ready = True
                self.state = replace(self.state, prefect=self.prefect.port)

    def _prefect_died(self) -> None:
        log.warning("Prefect's server has ended; it is started again")
        self.migration.release()
        self.prefect.stop()
        self.prefect_back_off.died()
        self.prefect_ready = False
        self.state = replace(self.state, prefect=0)
        if self.prefect_back_off.deaths >= 3:
            self.state = self.state.failed(self.prefect.failure())

    def _keep_worker_up(self) -> None:
        if self.worker is not None and not self.worker.alive():
            log.warning("the worker has ended")
            self.worker = None
            self.worker_back_off.died()
            self.state = replace(self.state, dead_worker_started_at=self.worker_started_at)
            self.worker_died_at = time.time()
        if self.worker is None and self._worker_is_due():
            try:
                self.worker_started_at = time.time()
                self.worker = worker.running(self.home) or worker.start(self.home, os.environ)
            except (IntegrationError, OSError) as error:
                self._failed(error)
                self.worker_back_off.died()

    def _worker_is_due(self) -> bool:
        """Returns whether the worker is to be started now. After another `up` there is no back-off: the person may have
        removed the cause."""
        wanted = worker.last_wanted_at(self.home)
        return wanted is not None and (self.worker_back_off.may_restart() or wanted > self.worker_died_at)

    def _keep_console_up(self) -> None:
        if self.console.process is not None and not self.console.alive():
            log.warning("the console has ended; it is started again")
            self.console.stop()
            self.console_back_off.died()
            self.state = replace(self.state, console=0)
        if self.console.process is None:
            if worker.is_wanted(self.home) and self.console_back_off.may_restart():
                try:
                    self.console.start()
                except (IntegrationError, OSError) as error:
                    self._failed(error)
                    self.console_back_off.died()
        elif not self.state.console and self.console.answers():
            self.state = replace(self.state, console=self.console.port)

    def _failed(self, error: IntegrationError | OSError) -> None:
        self.state = self.state.failed(unusable(error) if isinstance(error, OSError) else error)

    def _database_answers(self) -> bool:
        return self.postgres is None or self.state.database

    def _write_state(self) -> None:
        pids = {"keeper": os.getpid()}
        if self.postgres and self.postgres.process:
            pids[POSTGRES] = self.postgres.process.pid
        if self.prefect.process:
            pids[PREFECT] = self.prefect.process.pid
        if self.worker:
            pids[worker.LOG] = self.worker.pid
        if self.console.process:
            pids[CONSOLE] = self.console.process.pid
        self.state = replace(self.state, pids=pids)
        if self.state != self.written and self.lock.is_current():
            self.state.write(self.home)
            self.written = self.state

    def _end(self) -> None:
        """Stops the worker before the server, as it still reports its runs to Prefect; the database last (without a
        last checkpoint if its files are gone)."""
        self.state = replace(self.state, phase="stopping", database=False, prefect=0, console=0)
        with suppress(OSError):
            self._write_state()
        self.console.stop()
        if self.worker is not None:
            worker.stop(self.worker)
        self.migration.release()
        self.prefect.stop()
        if self.postgres is not None:
            self.postgres.stop(at_once=not self.lock.is_current())
        self.client_lock.release()


def main() -> int:
    """Returns the exit code: 0, also if there is another keeper; 1 after an error. An IntegrationError is in the state
    file, an OSError only in the keeper's log."""
    config = settings()
    home = Home(config.home).create()
    with FileLock(home.run / KEEPER_LOCK) as lock:
        # Client processes take the lock for an instant to see whether it is held, so one refusal proves nothing.
        if not lock.acquire(timeout=1.0):
            return 0
        logs.configure()
        try:
            with _metrics(config, home):
                Keeper(home, config, lock).run()
        except (IntegrationError, OSError) as error:
            log.error("%s", unusable(error) if isinstance(error, OSError) else error)
            return 1
    return 0


@contextmanager
def _metrics(config: Settings, home: Home) -> Iterator[None]:
    """Serves whether the worker is up while the block runs, if there is a port for it."""
    if config.keeper_metrics_port is None:
        yield
        return
    from cartum_roapp.service import metrics, metrics_endpoint

    found = metrics.registry(metrics.WorkerCollector(home))
    with metrics_endpoint.serving(config.keeper_metrics_port, home.metrics_token(), found):
        yield


if __name__ == "__main__":
    sys.exit(main())
