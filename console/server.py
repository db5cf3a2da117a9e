"""The console's web server."""

from __future__ import annotations

import logging
import socket

import uvicorn

from cartum_roapp import logs, service
from cartum_roapp.home import Home
from cartum_roapp.ledger import database
from cartum_roapp.service.http_connection import BACKLOG, HttpConnection
from cartum_roapp.settings import settings
from console.app import application
from console.backend import Backend
from console.flow_runs import FlowRuns


def serve(bound: socket.socket) -> bool:
    """Serves until SIGTERM or SIGINT. `bound` is the socket to listen at. Returns whether it could be started. Raises
    IntegrationError."""
    config = settings()
    logs.configure()
    logging.getLogger().setLevel(logging.WARNING)  # else each question to Prefect's server is a line
    engine = database.connect(service.use(config, prefect=False).database_url.get_secret_value())
    database.migrate(engine)
    app = application(Backend(engine, config, Home(config.home), FlowRuns(config)), bound.getsockname()[1])
    options = uvicorn.Config(
        app,
        http=HttpConnection,
        backlog=BACKLOG,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(options)
    server.run(sockets=[bound])
    engine.dispose()
    return server.started
