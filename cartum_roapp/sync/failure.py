"""Removes private data from errors that leave a step: Prefect writes the text of an error, and the texts of its causes,
into logs and states that everybody sees in the UI (design §2, P6)."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from sqlalchemy.exc import DBAPIError, OperationalError

from cartum_roapp.errors import IntegrationError, Retryable
from cartum_roapp.home import Home, disk_failure
from cartum_roapp.settings import settings

log = logging.getLogger(__name__)

LOG = "errors"


class Unexpected(IntegrationError):
    """An unforeseen error. Its message has only the class of the original one, as the text of a library's or Python's
    error may quote a buyer's data or a secret."""

    kind = "unexpected"


@contextmanager
def prefect_errors() -> Iterator[None]:
    """Turns errors of calls to Prefect's server into Retryable."""
    import httpx

    try:
        yield
    except httpx.HTTPError as error:
        text = f"Prefect's server does not answer ({type(error).__name__})."
        raise Retryable(text, fix="Try again. Otherwise see its log, and whether its Redis runs.") from error


@contextmanager
def sanitized_errors() -> Iterator[None]:
    """Passes errors of this project on, without their causes, whose texts are not known to be safe. Turns a full or
    read-only disk and a lost connection to the database into Retryable, every other error into `Unexpected`; the
    traceback of the latter, without texts, is appended to `logs/errors.log` of the home. May be nested."""
    try:
        yield
    except IntegrationError as error:
        error.__cause__, error.__context__, error.__suppress_context__ = None, None, True
        raise
    except DBAPIError as error:
        if failed := disk_failure(error):
            raise failed from None
        if not error.connection_invalidated and not isinstance(error, OperationalError):
            raise _unforeseen(error) from None
        raise Retryable("the connection to the database broke.", fix="Repeat: the run goes on where it was.") from None
    except Exception as error:  # noqa: BLE001 - whatever it is, its text stays here
        raise disk_failure(error) or _unforeseen(error) from None


def _unforeseen(error: BaseException) -> Unexpected:
    return Unexpected(f"Unexpected error ({type(error).__name__}).", fix=f"Repeat. {_noted(error)}")


def _noted(error: BaseException) -> str:
    """Appends the traceback to the home's log. Returns where it is, as a sentence."""
    text = f"{datetime.now(UTC).isoformat(timespec='seconds')} {''.join(_lines(error))}\n"
    with suppress(IntegrationError, OSError):
        home = Home(settings().home).create()
        with home.open_log(LOG) as file:
            file.write(text.encode())
        return f"The traceback is in {home.log_path(LOG)}"
    log.error("logs/%s.log can't be written", LOG)
    return "The traceback could not be written."


def _lines(error: BaseException) -> list[str]:
    """Returns the traceback: classes of errors and lines of code, without messages."""
    lines = [f"{type(error).__module__}.{type(error).__qualname__}\n", *traceback.format_tb(error.__traceback__)]
    causes = list(error.exceptions) if isinstance(error, BaseExceptionGroup) else []
    if cause := error.__cause__ or (None if error.__suppress_context__ else error.__context__):
        causes.append(cause)
    for one in causes:
        lines += ["because of\n", *_lines(one)]
    return lines
