"""The console of a home, console/__main__.py, as others see it: a web server at a port of its own."""

from __future__ import annotations

import signal
import sys

from cartum_roapp.errors import IntegrationError, Retryable
from cartum_roapp.home import Home
from cartum_roapp.service.child import Child
from cartum_roapp.service.port import HOST, own_port, status_of
from cartum_roapp.service.state import State
from cartum_roapp.settings import Settings

LOG = "console"


class Console(Child):
    name = LOG
    ending = ((signal.SIGTERM, 5.0),)

    def command(self) -> list[str]:
        self.port = self.port or own_port(self.home, LOG)
        return [sys.executable, "-P", "-m", "console", str(self.port)]

    def answers(self) -> bool:
        return status_of(self.port, "/") is not None

    def failure(self) -> IntegrationError | None:
        if self.deaths < 3:
            return None
        fix = f"Read the reason at the end of {self.home.log_path(LOG)}, fix it, then repeat."
        return Retryable("The console did not start.", fix=fix)


def address(config: Settings) -> str | None:
    """Returns the console's address without a slash at its end: CARTUM_ROAPP_CONSOLE_URL, otherwise the one of this
    home; None while that one is down. Starts nothing and never waits."""
    port = State.read(Home(config.home)).console
    return config.console_url or (f"http://{HOST}:{port}" if port else None)
