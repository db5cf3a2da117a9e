"""The console's web server."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from contextlib import closing

import uvicorn

from cartum_roapp import logs, service
from cartum_roapp.home import Home
from cartum_roapp.ledger import database
from cartum_roapp.settings import settings
from console.app import application
from console.backend import Backend
from console.flow_runs import FlowRuns


def serve(bound: socket.socket, started: Callable[[uvicorn.Server], None] = lambda server: None) -> bool:
    """Serves until SIGTERM or SIGINT. `bound` is the socket to listen at; `started` gets the server before it begins.
    Returns whether it could be started. Raises IntegrationError."""
    config = settings()
    logs.configure()
    logging.getLogger().setLevel(logging.WARNING)  # else each question to Prefect's server is a line
    with service.use(config, prefect=False) as running, closing(FlowRuns(config)) as runs:
        engine = database.connect(running.database_url.get_secret_value())
        database.migrate(engine)
        app = application(Backend(engine, config, Home(config.home), runs), bound.getsockname()[1])
        options = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
        server = uvicorn.Server(options)
        started(server)
        server.run(sockets=[bound])
        engine.dispose()
    return server.started
