"""`cartum-roapp worker | console`: one process of an installation over many machines, for containers and systemd."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from typing import Annotated

import typer

from cartum_roapp.cli.output import FAILED, say
from cartum_roapp.errors import BadConfig, Retryable

_PORT = 8321
_LOOPBACK = "127.0.0.1"


def worker() -> int:
    """Run a worker here, until SIGTERM or Ctrl-C. The next worker continues its runs."""
    from deployments.serve import serve

    with _in_home():
        return serve()


def console(
    host: Annotated[
        str, typer.Option("--host", help="Where to listen. Beyond the loopback, CARTUM_ROAPP_CONSOLE_URL is needed.")
    ] = _LOOPBACK,
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="At which port.")] = _PORT,
) -> int:
    """Serve the console here, until SIGTERM or Ctrl-C."""
    from cartum_roapp.settings import settings
    from console.server import serve

    if host != _LOOPBACK and settings().console_url is None:
        raise BadConfig(
            "The console answers browsers at addresses that it knows, and at none beyond the loopback.",
            field="CARTUM_ROAPP_CONSOLE_URL",
            fix="Set CARTUM_ROAPP_CONSOLE_URL to the address that browsers use, such as https://orders.example.",
        )
    try:
        bound = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise Retryable(f"Nothing can listen at {host}, port {port}: {error.strerror}.", fix="Name another.") from None
    say(f"The console answers at {settings().console_url or f'http://{host}:{port}'} until it is stopped.")
    with _in_home():
        return 0 if serve(bound) else FAILED


@contextmanager
def _in_home() -> Iterator[None]:
    """Works in the home: Prefect reads settings from files of the working directory, and runs code that they name."""
    from cartum_roapp.home import Home
    from cartum_roapp.service.open_files import raise_limit
    from cartum_roapp.settings import settings

    raise_limit()
    with chdir(Home(settings().home).create().root):
        yield
