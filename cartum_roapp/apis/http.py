"""Sends one request: a deadline for the whole call, no redirects, no cookies.

A call without an answer ends in one of two ways. "Exactly once" depends on the difference:

    NotSent    no byte of the request left this machine: the name did not resolve, the connection or its TLS was
               refused, or the deadline passed before it was open
    Lost       any other end: the server may have read the request and acted on it

If the server closes a kept connection while a request is written to it, that request is Lost, although the server
probably did not read it. This is rare: httpx checks that an idle connection is still open before it uses it, and idle
connections are closed after `KEPT` seconds, long before servers usually do it (5 to 75 s). A new connection for each
write would prevent it, but the time of a TLS handshake between the limiter's turn and the request is enough to get 429
from RO App.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Literal

import httpx

from cartum_roapp.apis.calls import CallKind, Calls
from cartum_roapp.apis.reply import ACCEPTED, Reply, receive

#: Seconds for which an idle connection is kept.
KEPT = 3.0

OnSent = Callable[[], Awaitable[None]]
Reason = Literal["dns", "tls", "refused", "timeout"]


class NotSent(Exception):
    """No byte of the request left this machine. `reason` is a stable word, the text is for people."""

    def __init__(self, text: str, reason: Reason) -> None:
        super().__init__(text)
        self.reason = reason


class Lost(Exception):
    """The server may have acted on the request. The text says how the answer got lost."""


class Http:
    """An HTTP client. `timeout` is the deadline in seconds of a call, from the connection to the last byte of the body.

    `transport` replaces the network and the environment's proxies. Certificates are always verified. Many tasks may use
    it at once."""

    def __init__(
        self,
        *,
        timeout: float,
        headers: Mapping[str, str],
        calls: Calls,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._timeout = timeout
        self._calls = calls
        self._client = httpx.AsyncClient(
            headers={**headers, "Accept-Encoding": ACCEPTED},
            timeout=httpx.Timeout(timeout),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=16, keepalive_expiry=KEPT),
            follow_redirects=False,
            # Calls are independent; a session cookie would connect them.
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=())),
            transport=transport,
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def send(
        self,
        method: str,
        url: str,
        *,
        kind: CallKind,
        params: Sequence[tuple[str, str]] = (),
        body: Any = None,
        on_sent: OnSent | None = None,
    ) -> Reply:
        """Sends the request once and counts it. `body` is sent as JSON; `on_sent` is awaited when the whole request is
        written. Returns a Reply for any HTTP code. Raises NotSent or Lost."""
        progress = _Progress(on_sent)
        headers = {} if body is None else {"Content-Type": "application/json"}
        request = self._client.build_request(
            method,
            url,
            params=list(params) or None,
            content=None if body is None else encode(body),
            headers=headers,
            extensions={"trace": progress},
        )
        try:
            async with asyncio.timeout(self._timeout):
                reply = await receive(await self._client.send(request, stream=True))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            raise _not_sent(error) from None
        except (TimeoutError, httpx.TimeoutException):
            if progress.never_sent:
                raise NotSent("no connection in time", "timeout") from None
            self._calls.add(kind)
            raise Lost(f"no complete answer within {self._timeout:g} s") from None
        except (httpx.RequestError, OSError) as error:
            self._calls.add(kind)
            raise Lost(f"the connection broke off ({type(error).__name__})") from None
        except asyncio.CancelledError:
            if not progress.never_sent:
                self._calls.add(kind)
            raise
        self._calls.add(kind)
        for listen in _listeners:
            listen(Exchange(kind, method, str(request.url), body, reply))
        return reply


@dataclass(frozen=True)
class Exchange:
    """A request and its answer."""

    kind: CallKind
    method: str
    url: str
    body: Any
    reply: Reply


_listeners: list[Callable[[Exchange], None]] = []


@contextmanager
def heard(listen: Callable[[Exchange], None]) -> Iterator[None]:
    """Calls `listen` with each exchange of this process while the block runs."""
    _listeners.append(listen)
    try:
        yield
    finally:
        _listeners.remove(listen)


def encode(body: Any) -> bytes:
    """Returns JSON in UTF-8 without a byte-order mark (cartum §0): decimals as numbers, stamps as ISO 8601 with Z."""
    return json.dumps(body, ensure_ascii=False, allow_nan=False, default=_plain).encode()


def stamp(when: datetime) -> str:
    """Returns an aware datetime as RO App expects it: ISO 8601 with Z, whole seconds (roapp §2)."""
    if when.tzinfo is None:
        raise ValueError("a datetime without a zone")
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return stamp(value)
    raise TypeError(f"{type(value).__name__} in a request body")


class _Progress:
    """Follows httpcore's trace of one request: whether connecting began, and whether sending began."""

    def __init__(self, on_sent: OnSent | None) -> None:
        self._on_sent = on_sent
        self._connecting = False
        self._sending = False

    async def __call__(self, event: str, info: dict[str, Any]) -> None:
        if event == "connection.connect_tcp.started":
            self._connecting = True
        elif event.endswith("send_request_headers.started"):
            self._sending = True
        elif event.endswith("send_request_body.complete") and self._on_sent is not None:
            await self._on_sent()

    @property
    def never_sent(self) -> bool:
        return self._connecting and not self._sending


def _not_sent(error: BaseException) -> NotSent:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return NotSent("the TLS connection failed (certificate or protocol)", "tls")
        if isinstance(cause, socket.gaierror):
            return NotSent("the host name is not known", "dns")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.TimeoutException):
        return NotSent("no connection in time", "timeout")
    return NotSent("the connection was refused", "refused")


class _WithoutQuery(logging.Filter):
    """Removes queries from the URLs that httpx logs at INFO: RO App's search parameters are buyers' phone numbers."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(arg.copy_with(query=None) if isinstance(arg, httpx.URL) else arg for arg in record.args)
        return True


logging.getLogger("httpx").addFilter(_WithoutQuery())
