"""Prefect's API server and its UI as a program: `python -m deployments.server PORT`. The home's supervisor starts it.

Without Prefect's command line it starts 0.4 s faster.

Prefect itself checks the auth string, the origin of calls, and CSRF tokens. This program adds:

    Host      requests for other host names are refused, so that no web page reaches the server under a name of its own
              that resolves to this machine (DNS rebinding)
    policy    the UI's pages load nothing from elsewhere: no script, no telemetry, no picture
    admin     the API for administering the server is read only, so that nobody empties the database or makes the worker
              store results of runs elsewhere
    docs      the pages about the API, which load their scripts from elsewhere, are off
    login     a websocket that does not log in is ended; Prefect would wait for it for ever
    brake     who has tried too many wrong logins is refused (service/brake.py)
    peers     connections that send no whole request are closed (service/http_connection.py)
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from urllib.parse import urlsplit

import uvicorn
from prefect.server.api.server import create_app
from prefect.settings import get_current_settings
from pydantic import SecretStr
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cartum_roapp import logs
from cartum_roapp.service.brake import Brake, given_login
from cartum_roapp.service.http_connection import BACKLOG, HttpConnection
from cartum_roapp.service.port import hold
from deployments.migrating import migrating

_ABOUT_THE_API = {"docs", "redoc"}
_READS = ("GET", "HEAD", "OPTIONS")
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def own_origins() -> list[str]:
    """Returns the origins at which this server is reached, from Prefect's settings; never `*`."""
    server = get_current_settings().server
    named = [*server.api.cors_allowed_origins.split(","), server.ui.api_url or ""]
    parts = [urlsplit(address.strip()) for address in named]
    return list(dict.fromkeys(f"{part.scheme}://{part.netloc}" for part in parts if part.hostname))


def own_hosts() -> list[str]:
    """Returns the allowed host names: those of the loopback and of `own_origins`."""
    return [*LOOPBACK, *(urlsplit(origin).hostname or "" for origin in own_origins())]


def content_policy() -> str:
    """Returns the Content-Security-Policy of every answer."""
    servers = " ".join(origin + " " + origin.replace("http", "ws", 1) for origin in own_origins())
    return "; ".join(
        (
            "default-src 'self'",
            # The picture of a run is drawn by code that is made at run time.
            "script-src 'self' 'unsafe-eval'",
            "worker-src 'self' blob:",
            "style-src 'self' 'unsafe-inline'",
            "font-src 'self' data:",
            f"img-src 'self' data: blob: {' '.join(own_origins())}",
            f"connect-src 'self' {servers}",
            "object-src 'none'",
            "base-uri 'self'",
            "frame-ancestors 'none'",
        )
    )


class Closed:
    """Answers 404 for the pages about the API, 403 to each call of `/api/admin` but reads; passes all else to `app`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.app
        if scope["type"] == "http":
            parts = [part for part in scope["path"].split("/") if part]
            if parts[:2] == ["api", "admin"] and scope["method"] not in _READS:
                app = JSONResponse({"detail": "This server is administered by cartum-roapp alone."}, status_code=403)
            elif set(parts[:2]) & _ABOUT_THE_API and set(parts[:1]) <= {"api", *_ABOUT_THE_API}:
                app = Response(status_code=404)
        await app(scope, receive, send)


class ContentPolicy:
    """Adds the policy to every answer of `app`."""

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self.app = app
        self.policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Content-Security-Policy"] = self.policy
            await send(message)

        await self.app(scope, receive, sending)


class LoginInTime:
    """Ends a websocket whose first message does not come within `within` seconds of its opening, and the one that has
    waited longest where more than `most` wait. It is the message with the login."""

    def __init__(self, app: ASGIApp, within: float = 10.0, most: int = BACKLOG) -> None:
        self.app = app
        self.within = within
        self.most = most
        #: The first one has waited longest.
        self._waiting: dict[asyncio.Timeout, None] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        received = 0

        async def receiving() -> Message:
            nonlocal received
            received += 1
            return await (self._first(receive) if received == 2 else receive())  # the connection itself is the first

        await self.app(scope, receiving if scope["type"] == "websocket" else receive, send)

    async def _first(self, receive: Receive) -> Message:
        try:
            async with asyncio.timeout(self.within) as patience:
                self._waiting[patience] = None
                if len(self._waiting) > self.most:
                    next(iter(self._waiting)).reschedule(0.0)
                return await receive()
        except TimeoutError:
            return {"type": "websocket.disconnect", "code": 1008}
        finally:
            del self._waiting[patience]


class Braked:
    """Answers 429 to a request with a login, and ends a websocket that logs in, while the brake refuses its peer. All
    else goes on to `app`, which compares the login itself."""

    def __init__(self, app: ASGIApp, login: SecretStr) -> None:
        self.app = app
        self._brake = Brake(login)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.app
        header = Headers(scope=scope).get("authorization") if scope["type"] == "http" else None
        if header and (seconds := self._brake.seconds(scope, given_login(header))):
            detail = {"exception_message": "Too many wrong logins"}
            app = JSONResponse(detail, status_code=429, headers={"Retry-After": str(seconds)})
        first = True

        async def receiving() -> Message:
            nonlocal first
            message = await receive()
            if message["type"] == "websocket.receive" and first:
                first = False
                token = _token(message)
                if token and self._brake.seconds(scope, token):
                    return {"type": "websocket.disconnect", "code": 1008}
            return message

        await app(scope, receiving if scope["type"] == "websocket" else receive, send)


def _token(message: Message) -> bytes:
    """Returns the login in a websocket's first message; b"" if there is none."""
    try:
        return str(json.loads(message["text"])["token"]).encode(errors="surrogatepass")
    except (KeyError, TypeError, ValueError):
        return b""


class Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        async with migrating():
            await super().startup(sockets)


def main(port: int) -> int:
    # Around the app: Prefect's own services call the app within this process, under another host name.
    login = get_current_settings().server.api.auth_string or SecretStr("")
    braked = Braked(Closed(create_app(final=True)), login)
    guarded = LoginInTime(ContentPolicy(braked, content_policy()))
    served = TrustedHostMiddleware(guarded, allowed_hosts=own_hosts(), www_redirect=False)
    held = hold(port)
    if held is None:
        logs.say(f"another user of this machine has port {port}", "ERROR", "deployments.server")
        return 1
    options = uvicorn.Config(
        served, http=HttpConnection, backlog=BACKLOG, log_level="warning", timeout_graceful_shutdown=3
    )
    server = Server(options)
    server.run(sockets=[held.ipv4])
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
