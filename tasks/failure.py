"""What an error says once it leaves a step: Prefect writes its text, and the texts of its causes, into logs and states
that everybody sees in the UI (design §2, P6)."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from sqlalchemy.exc import DBAPIError, OperationalError

from cartum_roapp.errors import IntegrationError, Retryable
from cartum_roapp.home import Home
from cartum_roapp.settings import settings

log = logging.getLogger(__name__)

LOG = "errors"


class Unexpected(IntegrationError):
    """An error that nobody foresaw. Its message names the kind alone: the text of a library's or Python's error may
    quote a buyer's data or a secret."""

    kind = "unexpected"


@contextmanager
def sanitized_errors() -> Iterator[None]:
    """Errors of this project pass, without the causes whose texts nobody has checked; every other one becomes
    `Unexpected`, and its traceback, without texts, goes to `logs/errors.log` of the home. May be nested."""
    try:
        yield
    except IntegrationError as error:
        error.__cause__, error.__context__, error.__suppress_context__ = None, None, True
        raise
    except DBAPIError as error:
        if not error.connection_invalidated and not isinstance(error, OperationalError):
            raise _unforeseen(error) from None
        raise Retryable("the connection to the database broke.", fix="Repeat: the run goes on where it was.") from None
    except Exception as error:  # noqa: BLE001 - whatever it is, its text stays here
        raise _unforeseen(error) from None


def _unforeseen(error: BaseException) -> Unexpected:
    fix = f"Repeat; where it happened stands in {_noted(error)}."
    return Unexpected(f"Unexpected error ({type(error).__name__}).", fix=fix)


def _noted(error: BaseException) -> str:
    home = Home(settings().home)
    text = f"{datetime.now(UTC).isoformat(timespec='seconds')} {''.join(_lines(error))}\n"
    with suppress(IntegrationError, OSError):
        with home.open_log(LOG) as file:
            file.write(text.encode())
        return str(home.log_path(LOG))
    log.error("logs/%s.log can't be written", LOG)
    return "no file, as none could be written"


def _lines(error: BaseException) -> list[str]:
    """Kinds of errors and lines of code: no values, no messages."""
    lines = [f"{type(error).__module__}.{type(error).__qualname__}\n", *traceback.format_tb(error.__traceback__)]
    causes = list(error.exceptions) if isinstance(error, BaseExceptionGroup) else []
    if cause := error.__cause__ or (None if error.__suppress_context__ else error.__context__):
        causes.append(cause)
    for one in causes:
        lines += ["because of\n", *_lines(one)]
    return lines
