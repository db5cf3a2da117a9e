"""Processes of this machine, as tests look at them and end them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import psutil

from cartum_roapp import service
from cartum_roapp.service.patience import wait_until
from cartum_roapp.settings import Settings


@dataclass(frozen=True)
class Process:
    """One process. A later one with the same number is not mistaken for it."""

    pid: int
    found: psutil.Process

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """The process that has this number now."""
        try:
            process = cls(pid, psutil.Process(pid))
        except psutil.NoSuchProcess:
            return None
        return process if process.alive() else None

    @classmethod
    def named(cls, config: Settings, name: str) -> Process:
        """A program of a home."""
        process = cls.of(service.state(config).pids[name])
        assert process is not None, name
        return process

    def alive(self) -> bool:
        with suppress(psutil.NoSuchProcess):
            return self.found.is_running() and self.found.status() != psutil.STATUS_ZOMBIE
        return False

    def signal(self, number: int) -> None:
        with suppress(psutil.NoSuchProcess):
            self.found.send_signal(number)

    def wait(self, timeout: float) -> bool:
        """Whether it ended within these seconds."""
        return wait_until(lambda: not self.alive(), timeout)


def command_of(pid: int) -> list[str]:
    """The command line; [] if there is no such process."""
    try:
        return psutil.Process(pid).cmdline()
    except psutil.Error:
        return []
