"""Processes that outlive the one that started them. A later process with the same number is not mistaken for one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, BinaryIO

_PAUSE = 0.02  # seconds
_LINUX = sys.platform.startswith("linux")


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
    except OSError:
        return ""


def _start(pid: int) -> str | None:
    """Returns a text that differs for each process that ever has this number; None if none runs (zombies don't)."""
    if _LINUX:
        try:
            fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            return None
        if fields[0] in (b"Z", b"X"):
            _reap(pid)
            return None
        return f"{_boot()}-{fields[19].decode()}"
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
    ).stdout.split(None, 1)
    if len(shown) < 2 or shown[0].startswith("Z"):
        _reap(pid)
        return None
    return shown[1].strip()


def _reap(pid: int) -> None:
    """Waits for an ended child of ours, so that no zombie keeps the number."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


@dataclass(frozen=True)
class Process:
    """One process, by its number and its start."""

    pid: int
    start: str

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """Returns the process that has this number now; None if there is none."""
        start = _start(pid) if pid > 0 else None
        return None if start is None else cls(pid, start)

    @classmethod
    def load(cls, data: object) -> Process | None:
        """Reads what `dump` wrote. Returns None for anything else."""
        if isinstance(data, dict) and isinstance(data.get("pid"), int) and isinstance(data.get("start"), str):
            return cls(data["pid"], data["start"])
        return None

    def dump(self) -> dict[str, object]:
        return {"pid": self.pid, "start": self.start}

    def alive(self) -> bool:
        return _start(self.pid) == self.start

    def signal(self, number: int) -> None:
        """Sends a signal. Does nothing if the process has ended."""
        if self.alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait(self, timeout: float) -> bool:
        """Returns whether it ended within `timeout` seconds."""
        return wait_until(lambda: not self.alive(), timeout)

    def stop(self, *steps: tuple[int, float]) -> bool:
        """Sends each signal in turn, at last SIGKILL, and waits its seconds. Returns whether the process ended."""
        for number, seconds in (*steps, (signal.SIGKILL, 5.0)):
            self.signal(number)
            if self.wait(seconds):
                return True
        return False


def spawn(
    command: Sequence[str],
    *,
    log: BinaryIO,
    env: Mapping[str, str],
    cwd: Path | str = "/",
    stdin: int = subprocess.DEVNULL,
) -> tuple[Process, IO[bytes] | None]:
    """Starts a program that outlives us, with its own session and no descriptors except the log and /dev/null.

    Returns its process, and the writing end if `stdin` is PIPE. Raises OSError if it can't be started.
    """
    started = subprocess.Popen(
        list(command), stdin=stdin, stdout=log, stderr=log, env=dict(env), cwd=cwd, start_new_session=True
    )
    process = Process.of(started.pid) or Process(started.pid, "ended")
    started.returncode = 0  # nobody waits through this object; without this it would warn when it is collected
    return process, started.stdin


def command_of(pid: int) -> list[str]:
    """Returns the command line of a process; [] if it can't be read."""
    if _LINUX:
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\x00")
        except OSError:
            return []
    shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], check=False, capture_output=True, text=True)
    return shown.stdout.split()


def processes_in(directory: Path) -> Iterator[Process]:
    """Yields the processes with this working directory; none on other systems than Linux."""
    if not _LINUX:
        return
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                inside = os.readlink(f"/proc/{entry.name}/cwd") == str(directory)
            except OSError:
                continue
            if inside and (process := Process.of(int(entry.name))):
                yield process


def wait_until(condition: Callable[[], bool], timeout: float, pause: float = _PAUSE) -> bool:
    """Returns whether the condition became true within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
    return True
