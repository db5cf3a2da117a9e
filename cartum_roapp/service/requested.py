"""What the supervisor of a home keeps up: a file for each program that was requested since the last `down`.

A file contains the fingerprint of the variables that its program must get (`State.variables`). An empty file accepts
any variables. So a supervisor that a command started in another shell starts no worker with that shell's settings.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cartum_roapp.draft import write_atomically
from cartum_roapp.home import Home, unusable

_TRIES = 10


class Requests:
    """The requests to one supervisor: the folder as it was when that began. Requests made after `nothing` go to the
    next supervisor."""

    def __init__(self, home: Home, variables: str) -> None:
        self._folder = _folder(home)
        self._variables = variables
        self._handle: int | None = None
        with suppress(FileNotFoundError):
            self._handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def are_withdrawn(self) -> bool:
        """Returns whether nothing is requested any more: also if the home was deleted or moved."""
        if self._handle is None:
            return True
        mine = os.fstat(self._handle)
        with suppress(OSError):
            there = os.stat(self._folder)
            return (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino)
        return True

    def of(self, program: str) -> int | None:
        """Returns a number that changes with each request for the program; None if it is not requested."""
        path = self._folder / program
        with suppress(OSError):
            if path.read_text() in ("", self._variables):
                return path.stat().st_mtime_ns
        return None


def add(home: Home, programs: Mapping[str, str]) -> None:
    """Makes the supervisor keep these programs up from now on, each with its variables, and makes it skip any back-off.
    Idempotent. Raises IntegrationError."""
    for program, variables in programs.items():
        try:
            for _ in range(_TRIES):
                _folder(home).mkdir(mode=0o700, exist_ok=True)
                with suppress(FileNotFoundError):  # `nothing` was called in between
                    write_atomically(_folder(home) / program, variables)
                    break
        except OSError as error:
            raise unusable(error) from None


def contains(home: Home, program: str) -> bool:
    """Returns whether the program was requested since the last `nothing`."""
    return (_folder(home) / program).exists()


def nothing(home: Home) -> None:
    """Makes the supervisor stop everything and end. Idempotent. Raises IntegrationError."""
    gone = home.run / f"withdrawn-{uuid.uuid4().hex}"
    try:
        _folder(home).rename(gone)
    except FileNotFoundError:
        return
    except OSError as error:
        raise unusable(error) from None
    shutil.rmtree(gone, ignore_errors=True)


def _folder(home: Home) -> Path:
    return home.run / "requested"
