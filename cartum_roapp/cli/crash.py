"""Writes the traceback of an unexpected error, without secrets, to a file in the home."""

from __future__ import annotations

import os
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path

from cartum_roapp.cli.secrets import without_secrets
from cartum_roapp.control import without_control

#: Packages whose error messages quote data: values, statements, URLs.
QUOTING = ("pydantic", "pydantic_core", "sqlalchemy", "psycopg2", "httpx", "httpcore")


def write_log(error: BaseException) -> Path:
    """Writes the traceback to `logs/` of the home, otherwise to the temporary directory. Returns the file's path. Never
    raises.

    The file is new and readable only for this user: links and files that another user has put there are not used. It
    has no local variables, and no messages of libraries that quote data."""
    text = without_control(without_secrets("".join(_lines(error))))
    prefix = f"error-{datetime.now(UTC):%Y%m%dT%H%M%S}-"
    for directory in (_logs(), Path(tempfile.gettempdir())):
        try:
            directory.mkdir(parents=True, exist_ok=True)
            descriptor, path = tempfile.mkstemp(".log", prefix, directory)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
        except OSError:
            continue
        return Path(path)
    return Path(os.devnull)


def _logs() -> Path:
    from cartum_roapp.errors import BadConfig
    from cartum_roapp.settings import settings

    try:
        return settings().home / "logs"
    except BadConfig:
        return Path(tempfile.gettempdir())


def _lines(error: BaseException) -> list[str]:
    lines: list[str] = []
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        lines += [*_lines(cause), "\nwhich led to\n\n"]
    lines += ["Traceback (most recent call last):\n", *traceback.format_tb(error.__traceback__)]
    kind = type(error)
    quotes = kind.__module__.partition(".")[0] in QUOTING
    lines.append(f"{kind.__module__}.{kind.__qualname__}{'' if quotes else f': {error}'}\n")
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            lines += _lines(part)
    return lines
