"""The log of an unexpected error: its traceback goes to a file in the home, without secrets."""

from __future__ import annotations

import os
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path

from cartum_roapp.cli.secrets import without_secrets
from cartum_roapp.control import without_control

#: Their messages quote what was sent or stored: values, statements, URLs.
QUOTING = ("pydantic", "pydantic_core", "sqlalchemy", "psycopg2", "httpx", "httpcore")


def write_log(error: BaseException) -> Path:
    """Writes the traceback to `logs/` of the home (else to the temporary directory) and returns the file's path. It is
    a new file, for this user alone: whatever somebody else has put there is neither followed nor written to. Never
    raises. Local variables are not in it, nor the messages of libraries that quote data."""
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
