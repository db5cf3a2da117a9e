"""The one place that sends a request: a deadline for the whole call, no redirects, no cookies.

Two ways in which a call can end without an answer, and the whole exactly-once story hangs on telling them
apart:

    NotSent    no byte of the request left this machine: the name did not resolve, the connection was
               refused or its TLS failed, or the deadline passed before it stood
    Lost       anything else: the other side may have read the request and acted on it

A connection that was kept open can be closed by the server in the very moment in which a request is written
to it; that request is Lost although it most likely was never read. httpx looks whether an idle connection was
closed before it takes it, and `KEPT` (seconds) throws idle ones away long before the usual servers do (5 to 75 s),
so this is rare. Opening a new connection for every write would rule it out, but would add the time of a
TLS handshake between the limiter's turn and the request, which is enough to meet RO App's 429.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Literal

import httpx

from cartum_roapp.apis.calls import CallKind, Calls
from cartum_roapp.apis.reply import ACCEPTED, Reply, receive

KEPT = 3.0

OnSent = Callable[[], Awaitable[None]]
Reason = Literal["dns", "tls", "refused", "timeout"]


class NotSent(Exception):
    """Nothing left this machine. `reason` is a stable word, the text says it to a person."""

    def __init__(self, text: str, reason: Reason) -> None:
        super().__init__(text)
        self.reason = reason


class Lost(Exception):
    """The request may have been acted on; the text says how the answer got lost."""


class Http:
    """A client with one deadline (`timeout`, seconds) for each call from the connection to the body's last byte.

    `transport` replaces the network (and the proxies of the environment). Certificates are always verified.
    May be used by many tasks at once."""

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
            # A session cookie would tie calls together that the server is to see as independent.
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
        """Sends once and counts it. `body` goes as JSON; `on_sent` is awaited as soon as the whole request is written.
        Any HTTP code is a Reply; raises NotSent or Lost."""
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
        return reply


def encode(body: Any) -> bytes:
    """JSON in UTF-8 without a byte-order mark (cartum §0); decimals as numbers, stamps as ISO 8601 with Z."""
    return json.dumps(body, ensure_ascii=False, allow_nan=False, default=_plain).encode()


def stamp(when: datetime) -> str:
    """An aware datetime as RO App wants it: ISO 8601 with Z, whole seconds (roapp §2)."""
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
    """Follows httpcore's trace of one request: has a connection been begun, has the request been begun."""

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
    """httpx logs every URL at INFO; RO App's search parameters are buyers' phone numbers."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(arg.copy_with(query=None) if isinstance(arg, httpx.URL) else arg for arg in record.args)
        return True


logging.getLogger("httpx").addFilter(_WithoutQuery())
