"""Serves metrics over HTTP to a Prometheus on this machine: GET /metrics on the loopback, with a token.

Without the home's token nobody reads them, and requests under other host names are refused, so that no web page reads
them under a name of its own that resolves to this machine (DNS rebinding).
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer
from prometheus_client.registry import CollectorRegistry

from cartum_roapp.service.port import HOST

log = logging.getLogger(__name__)

PATH = "/metrics"
_HOSTS = (HOST, "localhost", "::1")

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@contextmanager
def serving(port: int, token: str, registry: CollectorRegistry) -> Iterator[int]:
    """Serves the registry's metrics while the block runs. Yields the port (`port` 0: any that is free); 0 if it is
    taken, which is logged and not raised, as orders are more important than metrics."""
    try:
        server = make_server(HOST, port, guarded(make_wsgi_app(registry), token), ThreadingWSGIServer, _Handler)
    except OSError as error:
        log.error("no metrics are served: port %s can't be used (%s)", port, error.strerror or type(error).__name__)
        yield 0
        return
    with server:
        Thread(target=server.serve_forever, name="metrics", daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


def guarded(app: App, token: str) -> App:
    """Returns `app` for requests with the token, at PATH, and under a name of the loopback only."""
    wanted = f"Bearer {token}".encode()

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if _host(environ) not in _HOSTS:
            refused = "400 Bad Request"
        elif not hmac.compare_digest(environ.get("HTTP_AUTHORIZATION", "").encode(), wanted):
            refused = "401 Unauthorized"
        elif environ.get("PATH_INFO") != PATH:
            refused = "404 Not Found"
        elif environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            refused = "405 Method Not Allowed"
        else:
            return app(environ, start_response)
        start_response(refused, [("Content-Type", "text/plain"), ("WWW-Authenticate", "Bearer")])
        return [f"{refused}\n".encode()]

    return answer


def _host(environ: dict[str, Any]) -> str | None:
    try:
        return urlsplit(f"//{environ.get('HTTP_HOST', '')}").hostname
    except ValueError:
        return None


class _Handler(WSGIRequestHandler):
    timeout = 10  # seconds, for a request that does not come to its end

    def log_message(self, *_: object) -> None:
        pass
