"""The console as a process of its home: `python -m console PORT`. It ends on SIGTERM, and with its keeper: at the end
of its input."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import closing
from threading import Thread

import uvicorn

from cartum_roapp import logs, service
from cartum_roapp.errors import IntegrationError
from cartum_roapp.home import Home
from cartum_roapp.ledger import database
from cartum_roapp.service.port import hold
from cartum_roapp.settings import settings
from console.app import application
from console.backend import Backend
from console.flow_runs import FlowRuns

LOGGER = "console"


def main(port: int) -> int:
    config = settings()
    logs.configure()
    logging.getLogger().setLevel(logging.WARNING)  # else each question to Prefect's server is a line
    end = End()
    held = hold(port)
    if held is None:
        logs.say(f"another user of this machine is using port {port}", "ERROR", LOGGER)
        return 1
    try:
        with service.use(config, prefect=False) as running, closing(FlowRuns(config)) as runs:
            engine = database.connect(running.database_url.get_secret_value())
            database.migrate(engine)
            app = application(Backend(engine, config, Home(config.home), runs), port)
            options = uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                lifespan="off",
                timeout_graceful_shutdown=2,
            )
            end.server = server = uvicorn.Server(options)
            server.run(sockets=[held.ipv4])
            engine.dispose()
    except IntegrationError as error:
        logs.say(str(error), "ERROR", LOGGER)
        return 1
    return 0 if server.started else 1


class End:
    """Ends this process at the end of its input: at once before there is a server, else in order."""

    def __init__(self) -> None:
        self.server: uvicorn.Server | None = None
        Thread(target=self._wait, daemon=True).start()

    def _wait(self) -> None:
        sys.stdin.read()
        if self.server is None:
            os._exit(0)
        self.server.should_exit = True


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
