"""Whom the console answers, and the headers of each answer.

* Its own host names alone, so that no web page reads it under a name of its own that resolves to this machine.
* Nobody without the home's login (HTTP Basic). Cookies would be sent to every local server, whatever its port.
* What is not a GET: only with an origin of its own, so that no other page's form does anything here.
"""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from pydantic import SecretStr
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cartum_roapp.errors import IntegrationError
from cartum_roapp.service.brake import Brake, given_login
from cartum_roapp.sync.failure import sanitized_errors

log = logging.getLogger(__name__)

#: Bytes.
_LONGEST_FORM = 65_536
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # without any, browsers name no origin for the console's own forms either
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Passes requests on to `app` that may be answered."""

    def __init__(self, app: ASGIApp, port: int, public: str | None, login: SecretStr) -> None:
        """`public`: the address that browsers see where a proxy stands before it."""
        addresses = [f"http://{host}:{port}" for host in ("127.0.0.1", "localhost", "[::1]")]
        addresses += [public] if public else []
        self.app = app
        self.path = urlsplit(public).path if public else ""
        self.hosts = {urlsplit(address).netloc for address in addresses}
        self.origins = {"{0.scheme}://{0.netloc}".format(urlsplit(address)) for address in addresses}
        self._brake = Brake(login)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        answer = self._refusal(scope) or self.app
        path = scope["path"]
        if path == self.path or path.startswith(f"{self.path}/"):  # the proxy has not taken it off
            path = path.removeprefix(self.path) or "/"
        try:
            with sanitized_errors():
                await answer({**scope, "root_path": self.path, "path": self.path + path}, receive, sending)
        except IntegrationError as error:  # unforeseen; the page that says so is sent
            log.error("%s %r: %s", scope["method"], path, error)

    def _refusal(self, scope: Scope) -> Response | None:
        """Returns the answer to a request that is refused."""
        headers = Headers(scope=scope)
        if headers.get("host") not in self.hosts:
            return PlainTextResponse("Unknown host.\n", 400)
        given = given_login(headers.get("authorization", ""))
        if given and (seconds := self._brake.seconds(scope, given)):
            return PlainTextResponse("Too many wrong logins.\n", 429, {"Retry-After": str(seconds)})
        if not self._brake.is_login(given):
            name = 'Basic realm="cartum-roapp", charset="UTF-8"'
            return PlainTextResponse("Log in.\n", 401, {"WWW-Authenticate": name})
        if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
            return PlainTextResponse("The address contains a null character.\n", 400)
        if scope["method"] in ("GET", "HEAD"):
            return None
        if headers.get("origin") not in self.origins:
            return PlainTextResponse("Sent by another site.\n", 403)
        length = headers.get("content-length", "")
        if "transfer-encoding" in headers or not length.isdecimal() or len(length) > 5 or int(length) > _LONGEST_FORM:
            return PlainTextResponse("Too long.\n", 413)
        if headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
            return PlainTextResponse("Only URL-encoded forms are accepted.\n", 415)
        return None
