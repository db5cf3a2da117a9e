"""What stands behind a command: database, Prefect server, and the accounts' call budget."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import SecretStr
    from sqlalchemy import Engine

    from cartum_roapp.apis.limiter import Limiter
    from cartum_roapp.connection.access import Doors
    from cartum_roapp.settings import Settings

#: The deadline of one call while a person waits for a check, in seconds.
PATIENCE = 10.0


class Backend:
    """Database and Prefect server of one home, both up."""

    def __init__(self, settings: Settings, database_url: SecretStr) -> None:
        self.settings = settings
        self._database_url = database_url
        self._engine: Engine | None = None

    def doors(self) -> Doors:
        """How checks call the two systems. They keep the accounts' call budget over all processes, too."""
        from cartum_roapp.connection.access import Doors

        return Doors(timeout=min(self.settings.http_timeout, PATIENCE), limiter=self._limiter)

    def close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()

    def _limiter(self, account: str) -> Limiter:
        from cartum_roapp.ledger.database import connect, migrate
        from cartum_roapp.ledger.slots import CallSlots

        if self._engine is None:
            self._engine = connect(self._database_url.get_secret_value())
            migrate(self._engine)
        return CallSlots(self._engine, account, self.settings.roapp_interval)


@contextmanager
def serving() -> Iterator[Backend]:
    """Database and Prefect server of this home are up inside. Prefect reads its environment when it is first
    imported, so everything that imports it (blocks, deployments, flows) is imported inside as well."""
    from cartum_roapp import service
    from cartum_roapp.settings import settings

    current = settings()
    with service.use(current) as running:
        os.environ.update(running.env)
        # Prefect's own lines go to its UI; the terminal has the bar, and the result or the one line of an error.
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
        os.environ.setdefault("PREFECT_LOGGING_EXTRA_LOGGERS", "cartum_roapp,tasks")
        backend = Backend(current, running.database_url)
        try:
            yield backend
        finally:
            backend.close()
