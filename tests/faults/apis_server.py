"""A server on loopback that answers what a test tells it to, byte by byte, and remembers what it was asked."""

from __future__ import annotations

import json
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from cartum_roapp.apis.limiter import now
from cartum_roapp.apis.retries import Patience


def patient(usual: Patience, options: dict[str, Any]) -> dict[str, Any]:
    """A client's options, with those of its patience in one."""
    own = {name: options[name] for name in options.keys() & vars(usual).keys()}
    return {**{name: options[name] for name in options.keys() - own}, "patience": replace(usual, **own)}


@dataclass(frozen=True)
class Asked:
    """One request. `body` is its JSON, `connection` tells requests on one kept connection from others."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: Any
    connection: int

    @property
    def function(self) -> str:
        """The Cartum function: `orders/get` of `/api/orders/get/`."""
        return self.path.removeprefix("/api/").strip("/")

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.query if key == name]


@dataclass(frozen=True)
class Say:
    """An HTTP answer. `body`: bytes as they are, text as UTF-8, anything else as JSON. `missing`: that many bytes
    are promised and never sent. `pause`: seconds before each byte. `leave`: close when the next request comes.
    `chunked`: its length is not told."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    missing: int = 0
    pause: float = 0.0
    wait: float = 0.0
    leave: bool = False
    chunked: bool = False


class Drop:
    """The connection is closed without an answer."""


Answer = Say | Drop
Script = Callable[[Asked], Answer] | Iterable[Answer]


class Server:
    """`with Server(answers) as server`: `answers` is a function of the request, or a list given out in order whose
    last one is repeated."""

    def __init__(self, answers: Script, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self._left = None if callable(answers) else list(answers)
        self._answer = answers if callable(answers) else self._next
        self._tls = tls
        self._lock = threading.Lock()
        self._connections = 0
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                outer._serve(self.request)

        class Threads(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False
            allow_reuse_address = True
            request_queue_size = 64

            def handle_error(self, request: Any, client_address: Any) -> None:
                return

        self._server = Threads(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    @property
    def url(self) -> str:
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://127.0.0.1:{self._server.server_address[1]}"

    def calls(self, path: str, method: str | None = None) -> list[Asked]:
        """What was asked of this path (or Cartum function) so far."""
        return [
            asked
            for asked in self.asked
            if path in (asked.path, asked.function) and (method is None or asked.method == method)
        ]

    def _next(self, asked: Asked) -> Answer:
        assert self._left is not None
        return self._left.pop(0) if len(self._left) > 1 else self._left[0]

    def _serve(self, connection: socket.socket) -> None:
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True)
        with self._lock:
            self._connections += 1
            number = self._connections
        stream = connection.makefile("rb")
        leave = False
        while True:
            line = stream.readline()
            if not line:
                return
            method, target, _ = line.decode().split(" ", 2)
            headers: dict[str, str] = {}
            while (header := stream.readline().decode().strip()) != "":
                name, _, value = header.partition(":")
                headers[name.strip().lower()] = value.strip()
            content = stream.read(int(headers.get("content-length", "0")))
            if leave:
                return
            parts = urlsplit(target)
            query = parse_qsl(parts.query, keep_blank_values=True)
            asked = Asked(method, parts.path, query, headers, json.loads(content) if content else None, number)
            with self._lock:
                self.asked.append(asked)
                answer = self._answer(asked)
            if isinstance(answer, Drop):
                return
            leave = answer.leave
            if not self._send(connection, answer):
                return

    def _send(self, connection: socket.socket, answer: Say) -> bool:
        body = answer.body
        if isinstance(body, str):
            body = body.encode()
        elif not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self._ended.wait(answer.wait)
        headers = {"Content-Type": "application/json", **answer.headers}
        if answer.chunked:
            headers["Transfer-Encoding"] = "chunked"
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        else:
            headers["Content-Length"] = str(len(body) + answer.missing)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {answer.status} X\r\n{lines}\r\n".encode()
        if answer.pause:
            connection.sendall(head)
            for byte in body:
                if self._ended.wait(answer.pause):
                    return False
                connection.sendall(bytes([byte]))
        else:
            connection.sendall(head + body)
        return not answer.missing


class Turns:
    """A limiter that notes what it is asked and lets everybody through."""

    def __init__(self) -> None:
        self.given = 0
        self.penalties: list[float] = []

    async def acquire(self) -> float:
        self.given += 1
        return now()

    async def late(self, seconds: float) -> None:
        pass

    async def penalize(self, seconds: float) -> None:
        self.penalties.append(seconds)


def refused_url() -> str:
    """An address on which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{bound.getsockname()[1]}"


def silent() -> tuple[socket.socket, str]:
    """A bound socket whose queue is full: a connection to it neither stands nor is refused."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    bound.listen(0)
    address = bound.getsockname()
    for _ in range(4):
        waiting = socket.socket()
        waiting.setblocking(False)
        waiting.connect_ex(address)
        _KEPT.append(waiting)
    time.sleep(0.05)
    return bound, f"http://127.0.0.1:{address[1]}"


_KEPT: list[socket.socket] = []
