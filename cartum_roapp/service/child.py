"""A program that the supervisor keeps up, and what became of those of a supervisor that was killed."""

from __future__ import annotations

import logging
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import psutil

from cartum_roapp.errors import IntegrationError
from cartum_roapp.home import Home
from cartum_roapp.service.patience import BackOff
from cartum_roapp.settings import PREFIX

log = logging.getLogger(__name__)

#: The variable by which a program, and whatever it starts, is known as a home's: `worker@/path/of/the/home`.
MARK = PREFIX + "CHILD"

_KILLED_WITHIN = 5.0  # seconds


class Child(ABC):
    """A program of one home.

    name       its name, which its log has as well
    ending     the signals that end it, each with its seconds; at last it is killed
    needs      those that must be ready before it is started
    ready      it has answered since it was started
    port       where it listens on 127.0.0.1; 0: at none
    deaths     how often in a row it has died
    """

    name: ClassVar[str]
    ending: ClassVar[tuple[tuple[int, float], ...]] = ((signal.SIGTERM, 8.0),)

    def __init__(self, home: Home, environment: Mapping[str, str], needs: Sequence[Child] = ()) -> None:
        self.home = home
        self.environment = environment
        self.needs = needs
        self.ready = False
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.died_at = 0.0
        self._back_off = BackOff()

    @abstractmethod
    def command(self) -> list[str]:
        """Returns the command line. Called before each start, so that it may prepare what the program needs. Raises
        IntegrationError, OSError."""

    @abstractmethod
    def answers(self) -> bool:
        """Returns whether a program that runs can be used. Raises IntegrationError if it never will."""

    def failure(self) -> IntegrationError | None:
        """Returns why one that died before it answered does not start; None if another try may help."""
        return None

    @property
    def deaths(self) -> int:
        return self._back_off.deaths

    def variables(self) -> dict[str, str]:
        """Returns the environment of the program."""
        return dict(self.environment)

    def directory(self) -> Path:
        """Returns the working directory of the program."""
        return Path("/")

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def turn(self, wanted_since: float | None) -> None:
        """Looks at it once: starts it if it is wanted, notices that it answers, or that it has ended.

        After another wish there is no back-off: the person may have removed the cause. Raises IntegrationError if it
        does not start, OSError if the machine refuses."""
        if self.process is not None and not self.alive():
            self._ended()
            return
        try:
            if self.process is None:
                may = self._back_off.may_restart() or (wanted_since or 0.0) > self.died_at
                if wanted_since is not None and may and all(child.ready for child in self.needs):
                    self._start()
            elif not self.ready:
                self.ready = self.answers()
        except (IntegrationError, OSError):
            self._died()
            raise

    def stop(self) -> None:
        """Ends it in order. Idempotent."""
        process, self.process, self.ready = self.process, None, False
        for number, seconds in (*self.ending, (signal.SIGKILL, _KILLED_WITHIN)):
            if process is None or process.poll() is not None:
                return
            process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds)

    def _start(self) -> None:
        command, variables = self.command(), {**self.variables(), MARK: f"{self.name}@{self.home.root}"}
        with self.home.open_log(self.name) as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=variables,
                cwd=self.directory(),
                start_new_session=True,
            )

    def _ended(self) -> None:
        log.warning("%s has ended", self.name)
        was_ready = self.ready
        self._died()
        if not was_ready and (error := self.failure()):
            raise error

    def _died(self) -> None:
        self.stop()
        self._back_off.died()
        self.died_at = time.time()


def end_orphans(home: Home, *programs: type[Child]) -> list[str]:
    """Ends what a killed supervisor left of these programs, and what that had started. Returns the names of those that
    it ended."""
    ended = []
    for program in programs:
        for number, seconds in (*program.ending, (signal.SIGKILL, _KILLED_WITHIN)):
            if not (left := list(_orphans(home, program.name))):
                break
            ended.append(program.name)
            for process in left:
                with suppress(psutil.Error):
                    process.send_signal(number)
            psutil.wait_procs(left, timeout=seconds)
    return list(dict.fromkeys(ended))


def _orphans(home: Home, name: str) -> Iterator[psutil.Process]:
    mark = f"{name}@{home.root}"
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                yield process
