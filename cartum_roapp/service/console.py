"""The console of a home, as its keeper sees it: a web server on a port of its own, kept up from `up` to `down`.

The console is a separate program, console/__main__.py. It ends at the end of its input, and so with its keeper.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from subprocess import PIPE
from typing import IO

from cartum_roapp.home import Home
from cartum_roapp.service.port import HOST, Held, answers, held_port
from cartum_roapp.service.process import Process, spawn
from cartum_roapp.service.state import State
from cartum_roapp.settings import Settings

LOG = "console"


class ConsoleServer:
    """The console of one home. Only the holder of the home's keeper lock may start or stop it.

    Its port is held from the first start until this object's end, so that no other user listens there while it is
    down.
    """

    def __init__(self, home: Home, environment: Mapping[str, str]) -> None:
        self.home = home
        self.environment = environment
        self.port = 0
        self.process: Process | None = None
        self._held: Held | None = None
        self._input: IO[bytes] | None = None

    def alive(self) -> bool:
        return self.process is not None and self.process.alive()

    def start(self) -> None:
        """Starts the program, which answers a moment later. Raises OSError, and IntegrationError without a port."""
        if self._held is None:
            self.port, self._held = held_port(self.home, LOG)
        command = [sys.executable, "-P", "-m", "console", str(self.port)]
        with self.home.open_log(LOG) as log:
            self.process, self._input = spawn(command, log=log, env=self.environment, stdin=PIPE)

    def answers(self) -> bool:
        """Returns whether it accepts connections."""
        return self.alive() and answers(self.port)

    def stop(self) -> None:
        """Stops it by SIGTERM, after 5 s by SIGKILL. Idempotent."""
        if self._input is not None:
            self._input.close()
            self._input = None
        if self.process is not None:
            self.process.stop((signal.SIGTERM, 5.0))
            self.process = None


def address(config: Settings) -> str | None:
    """Returns the console's address without a slash at its end: CARTUM_ROAPP_CONSOLE_URL, otherwise the one of this
    home; None while that one is down. Starts nothing and never waits."""
    port = State.read(Home(config.home)).console
    return config.console_url or (f"http://{HOST}:{port}" if port else None)
