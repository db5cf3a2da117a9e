"""What a command works with: database, Prefect server, and clients that keep the accounts' call budget."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from cartum_roapp.cli.output import FAILED, CommandEnd, say
from cartum_roapp.cli.progress import waiting

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from cartum_roapp.settings import Settings
    from cartum_roapp.shops.access import Clients


class Backend:
    """Database and Prefect server of one home, both up. The ledger is opened when an account is called first, and until
    `stack` is left."""

    def __init__(self, settings: Settings, stack: ExitStack) -> None:
        self._settings = settings
        self._stack = stack

    def clients(self) -> Clients:
        """Returns the clients of the two systems for checks."""
        from cartum_roapp.shops.access import clients_of

        return clients_of(lambda: self._ledger, self._settings)

    @cached_property
    def _ledger(self) -> Engine:
        from cartum_roapp.service.ledger import opened

        return self._stack.enter_context(opened())


class _Warnings(logging.Handler):
    """Prints warnings of the deployments on the terminal, each text once."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._printed: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if text not in self._printed:
            self._printed.add(text)
            say(f"Warning: {text}", "WARNING")


@contextmanager
def serving() -> Iterator[Backend]:
    """Inside, database and Prefect server of this home can be used. Without a home, or before `up`, ends the command.
    Prefect reads its environment when it is first imported, so everything that imports it (blocks, deployments, flows)
    has to be imported inside as well."""
    from cartum_roapp import logs, service
    from cartum_roapp.settings import settings
    from cartum_roapp.sync.failure import prefect_errors

    current = settings()
    require_home(current)
    with waiting("Waiting for database and Prefect's server", line=False):
        running = service.use(current)
        os.environ.update(running.env)
        for name, value in logs.prefect_variables().items():
            os.environ.setdefault(name, value)
        # Prefect's logs are in its UI; the terminal shows the bar, and the result or the line of an error.
        level = "INFO" if logs.are_json() else "CRITICAL"
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", level)
        os.environ.setdefault("PREFECT_LOGGING_EXTRA_LOGGERS", "cartum_roapp,tasks")
        # Else each line that belongs to no run is a warning on the terminal.
        os.environ.setdefault("PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW", "ignore")
        with chdir(current.home):
            # Prefect reads .env, prefect.toml and pyproject.toml of the working directory when it is imported, and
            # runs code that they name.
            import prefect  # noqa: F401
    # Else a log that can't be sent, as the server was stopped, is shown as an error on the terminal.
    logging.raiseExceptions = False
    if not logs.are_json():
        logging.getLogger("deployments").addHandler(_Warnings())
    with ExitStack() as stack, prefect_errors():
        yield Backend(current, stack)


@contextmanager
def ledger() -> Iterator[Engine]:
    """Inside, the database of this home can be used; Prefect's server need not be up. Without a home, or before `up`,
    ends the command."""
    from cartum_roapp.service import ledger
    from cartum_roapp.settings import settings

    current = settings()
    require_home(current)
    with ExitStack() as stack:
        with waiting("Waiting for the database", line=False):
            engine = stack.enter_context(ledger.opened())
        yield engine


def require_home(config: Settings) -> None:
    """Ends the command if there is no home, which most likely means that its folder is misspelled. Where the operator
    names the database, a machine needs no home of its own before its first command."""
    from cartum_roapp.home import Home

    if config.database_url is None and not os.path.lexists(Home(config.home).keys):
        fix = "correct CARTUM_ROAPP_HOME; on a new machine start with `cartum-roapp up`"
        raise CommandEnd(FAILED, f"Nothing is set up here: {config.home}.", fix=fix)
