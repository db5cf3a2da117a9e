"""The console as a process of its home: `python -m console PORT`. It ends on SIGTERM, and with its keeper: at the end
of its input."""

from __future__ import annotations

import os
import sys
from threading import Thread

import uvicorn

from cartum_roapp import logs
from cartum_roapp.errors import IntegrationError
from cartum_roapp.service.port import hold
from console.server import serve

LOGGER = "console"


def main(port: int) -> int:
    end = End()
    held = hold(port)
    if held is None:
        logs.say(f"another user of this machine is using port {port}", "ERROR", LOGGER)
        return 1
    try:
        return 0 if serve(held.ipv4, end.of) else 1
    except IntegrationError as error:
        logs.say(str(error), "ERROR", LOGGER)
        return 1


class End:
    """Ends this process at the end of its input: at once before there is a server, else in order."""

    def __init__(self) -> None:
        self.server: uvicorn.Server | None = None
        Thread(target=self._wait, daemon=True).start()

    def of(self, server: uvicorn.Server) -> None:
        self.server = server

    def _wait(self) -> None:
        sys.stdin.read()
        if self.server is None:
            os._exit(0)
        self.server.should_exit = True


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
