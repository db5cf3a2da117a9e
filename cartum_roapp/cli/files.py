"""Files that a command writes where an option says."""

from __future__ import annotations

import os
from pathlib import Path

from cartum_roapp.cli.output import BAD_INPUT, CommandEnd
from cartum_roapp.config.problems import Problem


def write(path: Path, content: bytes, option: str) -> None:
    """Ends the command where the file can't be written."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise _refused(path, option, (error.strerror or "input/output error").lower()) from None


def check(path: Path, option: str) -> None:
    """Ends the command where the file can't be written, as far as that can be known before there is anything to
    write."""
    if path.is_dir():
        raise _refused(path, option, "it is a folder")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise _refused(path, option, "no permission" if path.parent.is_dir() else "there is no such folder")


def _refused(path: Path, option: str, why: str) -> CommandEnd:
    problem = Problem(option, f"{path} can't be written: {why}.", "name a file in a folder of yours")
    return CommandEnd(BAD_INPUT, problem.message, fields=[problem])
