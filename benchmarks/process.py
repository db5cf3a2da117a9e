"""One process from its start to its end: what it took."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LAST_LINES = 12


@dataclass(frozen=True)
class Measured:
    """`seconds` by the wall clock, start of the interpreter and imports included. `megabytes`: the largest resident
    set (of a process that starts others: the largest among them, not their sum). Linux counts what the process that
    started it held, so a small one is only known to have needed no more than that: `at_most`."""

    seconds: float
    megabytes: float
    at_most: bool = False


class Failed(Exception):
    """The process ended with an error; the text is the end of what it printed."""


def measure(command: Sequence[str], document: Mapping[str, Any], env: Mapping[str, str] | None = None) -> Measured:
    """Runs `command` with `document` as JSON on its stdin. `env` adds to the environment. Raises Failed."""
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as given:
        given.write(json.dumps(document).encode())
        given.seek(0)
        began = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=given, stdout=printed, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            printed.seek(0)
            lines = printed.read().decode(errors="replace").splitlines()[-_LAST_LINES:]
            raise Failed("\n".join([f"{command[0]} ended with {process.returncode}", *lines]))
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Measured(seconds, usage.ru_maxrss / 1024, at_most=usage.ru_maxrss <= ours * 1.05)


def children(pid: int) -> list[int]:
    """Returns the processes that it started and that still run."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def cpu_of(pid: int) -> float:
    """Returns its CPU seconds, those of its ended children included; 0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
