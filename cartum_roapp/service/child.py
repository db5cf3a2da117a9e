"""A program that the supervisor keeps up, and how programs left by a killed supervisor are ended."""

from __future__ import annotations

import logging
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import ClassVar

import psutil

from cartum_roapp.errors import IntegrationError
from cartum_roapp.home import Home
from cartum_roapp.service.answering import Answering
from cartum_roapp.service.patience import BackOff, wait_until
from cartum_roapp.settings import PREFIX

log = logging.getLogger(__name__)

#: The variable by which a program, and whatever it starts, is known as a home's: `worker@2049-131072`.
MARK = PREFIX + "CHILD"

#: Signals, each with its timeout in seconds.
Ending = tuple[tuple[int, float], ...]

# Seconds.
_KILLED_WITHIN = 5.0
_LOOK = 0.1


class Child(ABC):
    """A program of one home.

    name          its name, which its log has as well
    ending        the signals that end it, each with its timeout; finally SIGKILL
    asked_every   seconds after which one that answered is asked again
    patience      how often in a row it may then fail to answer; next it is killed
    needs         those that must be ready before it is started
    answering     what is known of its answers since it was started
    port          where it listens on 127.0.0.1; 0: at none
    deaths        how often in a row it has died
    """

    name: ClassVar[str]
    ending: ClassVar[Ending] = ((signal.SIGTERM, 8.0),)
    asked_every: ClassVar[float] = 5.0
    patience: ClassVar[int] = 2

    def __init__(self, home: Home, environment: Mapping[str, str], needs: Sequence[Child] = ()) -> None:
        self.home = home
        self.environment = environment
        self.needs = needs
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.answering = Answering()
        self._back_off = BackOff()

    @abstractmethod
    def command(self) -> list[str]:
        """Returns the command line. Called before each start, so that it may prepare what the program needs. Raises
        IntegrationError, OSError."""

    @abstractmethod
    def answers(self) -> bool:
        """Returns whether a program that runs can be used. Called in a thread of its own, and never twice at once.
        Raises IntegrationError if it never will."""

    def failure(self) -> IntegrationError | None:
        """Returns why one that died before it answered does not start; None if another try may help."""
        return None

    @property
    def ready(self) -> bool:
        """Whether it has answered when it was last asked."""
        return self.answering.ready

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

    def check(self) -> None:
        """Looks at it once: starts it, notices that it answers, that it does not answer any more, or that it has ended.
        Raises IntegrationError if it does not start, OSError if the machine refuses."""
        if self.process is not None and not self.alive():
            self._ended()
            return
        try:
            if self.process is None:
                if self._back_off.may_restart() and all(child.ready for child in self.needs):
                    self._start()
            else:
                self._listen()
        except (IntegrationError, OSError):
            self._died()
            raise

    def stop(self, *, at_once: bool = False) -> None:
        """Stops it: each signal of `ending` in turn, then SIGKILL, or that `at_once`. Idempotent."""
        process, self.process, self.answering = self.process, None, Answering()
        for number, seconds in (*(() if at_once else self.ending), (signal.SIGKILL, _KILLED_WITHIN)):
            if process is None or process.poll() is not None:
                return
            with suppress(subprocess.TimeoutExpired, PermissionError):  # root may lack CAP_KILL
                process.send_signal(number)
                process.wait(seconds)

    def _start(self) -> None:
        command, variables = self.command(), {**self.variables(), MARK: _mark(self.home, self.name)}
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

    def _listen(self) -> None:
        """Asks it. One that is silent too often is killed: it may be stopped, and take no other signal."""
        self.answering.look(self.answers, self.asked_every)
        if self.answering.misses > self.patience:
            log.warning("%s does not answer", self.name)
            self._died(at_once=True)

    def _ended(self) -> None:
        log.warning("%s has ended", self.name)
        has_answered = self.answering.has_answered
        self._died()
        if not has_answered and (error := self.failure()):
            raise error

    def _died(self, *, at_once: bool = False) -> None:
        self.stop(at_once=at_once)
        self._back_off.died()


def end_orphans(home: Home, *programs: type[Child]) -> list[str]:
    """Ends those of these programs that a killed supervisor left running, with their descendants. Returns the names of
    those that it ended."""
    return [program.name for program in programs if end_all(partial(_orphans, home, program.name), program.ending)]


def end_all(found: Callable[[], list[psutil.Process]], ending: Ending) -> bool:
    """Ends the processes that `found` finds. Returns whether there were any, and all are gone."""
    if not found():
        return False
    for number, seconds in (*ending, (signal.SIGKILL, _KILLED_WITHIN)):
        for process in found():
            with suppress(psutil.Error):
                process.send_signal(number)
        if wait_until(lambda: not found(), seconds, pause=_LOOK):
            return True
    return False


def living() -> Iterator[psutil.Process]:
    """Yields the processes of this machine; no zombies, which nobody can end."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE:
                yield process


def identity(home: Home) -> str:
    """Returns the ID that marks a home's processes: device and inode. A path may change, and a container may use the
    same one."""
    found = home.root.stat()
    return f"{found.st_dev}-{found.st_ino}"


def _mark(home: Home, name: str) -> str:
    return f"{name}@{identity(home)}"


def _orphans(home: Home, name: str) -> list[psutil.Process]:
    mark, found = _mark(home, name), []
    for process in living():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark:
                found.append(process)
    return found
