"""How programs of a home are started and stopped: by requests to its supervisor, which is started if there is none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from cartum_roapp.errors import BadConfig, IntegrationError, Retryable
from cartum_roapp.home import LITTLE, Home, unusable
from cartum_roapp.postgres import socket_folder
from cartum_roapp.postgres.cluster import LOG as POSTGRES
from cartum_roapp.service import console, requested, worker
from cartum_roapp.service.lock import FileLock, is_held
from cartum_roapp.service.patience import wait_until
from cartum_roapp.service.port import keep
from cartum_roapp.service.prefect_server import LOG as PREFECT
from cartum_roapp.service.state import SUPERVISOR_LOCK, State, kinds_of, variables_of
from cartum_roapp.service.supervisor import LOG, end_left_over, environment_of
from cartum_roapp.settings import PREFIX, Settings

# Seconds.
_STOPPED_WITHIN = 120.0
_PAUSE = 0.02
_TRIES = 3
# The supervisors that this process has started, by their homes, so that none of them becomes a zombie.
_STARTED: dict[Path, subprocess.Popen[bytes]] = {}


class Startup:
    """Waits until these programs of the home answer. Starts the supervisor if there is none."""

    def __init__(self, config: Settings, home: Home, programs: list[str], timeout: float) -> None:
        self.config = config
        self.home = home
        self.programs = programs
        self.deadline = time.monotonic() + timeout
        self.known_problem = State.read(home).problem_at
        self.kinds = kinds_of(home, config)
        #: What worker and console are requested with.
        self.variables = variables_of(home, environment_of(home, config))
        if PREFECT not in programs:
            del self.kinds[PREFECT]
        self.starts = 0

    def stop_if_others(self) -> bool:
        """Stops everything if the supervisor has other variables than this process, and no worker has them yet. Returns
        whether the worker's variables differ from ours: it keeps them."""
        now = State.read(self.home)
        if now.phase == "stopped" or now.variables == self.variables:
            return False
        if now.serves(worker.LOG):
            self.variables = now.variables
            return True
        stop(self.config)
        return False

    def wait_until_ready(self) -> State:
        """Returns the state. The server's port is then held. Raises IntegrationError."""
        now = State.read(self.home)
        if self._offers(now):
            return now
        self.home.require_disk(LITTLE)  # whatever has to be started writes
        requested.add(self.home, requests_of(self.programs, self.variables))
        while True:
            are_requested, now = self._are_requested(), State.read(self.home)
            if self._offers(now):
                return now
            if now.problem_at != self.known_problem and now.problem.get("program") in self.programs:
                raise now.error()
            if not are_requested and now.phase in ("stopped", "running"):
                raise Retryable("`cartum-roapp down` was typed in the meantime.", fix="Repeat.")
            if now.phase == "stopped":
                self._start()
            elif now.kinds and now.phase != "stopping" and not self._is_usable(now):
                raise BadConfig(
                    f"{self.home.root} is in use with another database, another version of Prefect or another auth "
                    "string.",
                    field=PREFIX + "DATABASE_URL",
                    fix="Run `cartum-roapp down` first, or set CARTUM_ROAPP_HOME to another directory.",
                )
            if time.monotonic() >= self.deadline:
                missing = ", ".join(sorted(set(self.programs) - set(now.ready))) or "the supervisor"
                raise Retryable(f"Not up yet: {missing}; see {self.home.logs}.", fix="Wait a little, then repeat.")
            time.sleep(_PAUSE)

    def _offers(self, now: State) -> bool:
        return (
            now.phase == "running"
            and self._is_usable(now)
            and all(now.serves(program) for program in self.programs)
            and self._are_requested()
            and (POSTGRES not in self.programs or socket_folder.answers(self.home))
            and (PREFECT not in self.programs or keep(now.prefect))
        )

    def _is_usable(self, now: State) -> bool:
        """Returns whether the running servers match the settings of this process."""
        return self.kinds.items() <= now.kinds.items()

    def _are_requested(self) -> bool:
        return all(requested.contains(self.home, program) for program in self.programs)

    def _start(self) -> None:
        started = _STARTED.get(self.home.root)
        if (started and started.poll() is None) or is_held(self.home.run / SUPERVISOR_LOCK):
            return
        if self.starts == _TRIES:
            log = self.home.log_path(LOG)
            raise Retryable(f"The supervisor ended. The reason is at the end of {log}.", fix="Repeat.")
        self.starts += 1
        spawn(self.config, self.home)


def spawn(config: Settings, home: Home) -> None:
    """Starts a supervisor, which outlives this process. It ends at once if there is one. Raises IntegrationError."""
    command = [sys.executable, "-P", "-m", "cartum_roapp.service"]
    environment = environment_of(home, config)
    if ended := _STARTED.get(home.root):
        ended.poll()
    try:
        with home.open_log(LOG) as log:
            _STARTED[home.root] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd="/",
                start_new_session=True,
            )  # fmt: skip
    except OSError as error:
        raise unusable(error) from None


def requests_of(programs: list[str], variables: str) -> dict[str, str]:
    """Returns the variables that each program is to have: for worker and console these, for the others any."""
    return {program: variables if program in (worker.LOG, console.LOG) else "" for program in programs}


def stop(config: Settings) -> list[str]:
    """Stops everything that runs for this home, even if it is in use. Returns the names of what was stopped.

    Idempotent, also for several processes at once. Raises Retryable if it takes longer than two minutes.
    """
    home = Home(config.home)
    if not home.run.is_dir():
        return []
    now = State.read(home)
    try:
        requested.nothing(home)
    except IntegrationError:  # the disk has failed: what is requested is started again once it is writable
        _terminate(home, now)
    if not wait_until(lambda: _has_ended(home, now), _STOPPED_WITHIN):
        raise Retryable("The programs of this home are still stopping.", fix="Wait, then repeat.")
    with FileLock(home.run / SUPERVISOR_LOCK) as lock:
        # If another one has the lock, somebody started it after our call.
        left = end_left_over(home) if lock.acquire(timeout=1.0) else []
    return sorted({*now.pids, *left})


def _terminate(home: Home, now: State) -> None:
    """Makes the supervisor stop everything and end, without a change to a file."""
    if is_held(home.run / SUPERVISOR_LOCK) and now.pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(now.pids["supervisor"], signal.SIGTERM)


def _has_ended(home: Home, before: State) -> bool:
    """Returns whether there is no supervisor, or another one than before."""
    return not is_held(home.run / SUPERVISOR_LOCK) or bool(before.id and State.read(home).id not in ("", before.id))
