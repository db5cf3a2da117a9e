"""What the supervisor of a home keeps up: what was asked for since the last `down`, a file for each program."""

from __future__ import annotations

import shutil
from pathlib import Path

from cartum_roapp.home import Home, unusable


def add(home: Home, *programs: str) -> None:
    """Makes the supervisor keep these programs up from now on, and start at once one that it waits with. Idempotent.
    Raises IntegrationError."""
    try:
        _folder(home).mkdir(mode=0o700, exist_ok=True)
        for program in programs:
            (_folder(home) / program).touch(mode=0o600)
    except OSError as error:
        raise unusable(error) from None


def since(home: Home, program: str) -> float | None:
    """Returns when the program was asked for last, in seconds since 1970; None if it was not."""
    try:
        return (_folder(home) / program).stat().st_mtime
    except OSError:
        return None


def anything(home: Home) -> bool:
    return _folder(home).is_dir()


def nothing(home: Home) -> None:
    """Makes the supervisor stop everything and end. Idempotent."""
    shutil.rmtree(_folder(home), ignore_errors=True)


def _folder(home: Home) -> Path:
    return home.run / "wanted"
