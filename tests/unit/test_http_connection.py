"""Whom a web server waits for, and how long."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import ClassVar

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from cartum_roapp.service.http_connection import HttpConnection
from deployments.server import LoginInTime

GET = b"GET /%s HTTP/1.1\r\nHost: x\r\n"
LARGE = 32 << 20
#: More than a test takes.
LONG = 60.0


class Impatient(HttpConnection):
    within: ClassVar[float] = 0.3
    most: ClassVar[int] = 3
    _waiting: ClassVar[dict[HttpConnection, asyncio.TimerHandle]] = {}


class Patient(Impatient):
    within: ClassVar[float] = LONG
    _waiting: ClassVar[dict[HttpConnection, asyncio.TimerHandle]] = {}


class App:
    """`/slow` is answered once `go` is set; a websocket gets back what it sends."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept", "subprotocol": "prefect"})
            while (message := await receive())["type"] == "websocket.receive":
                await send({"type": "websocket.send", "text": message["text"]})
            return
        if scope["path"] == "/slow":
            self.begun.set()
            await asyncio.to_thread(self.go.wait, LONG)
        body = b"." * (LARGE if scope["path"] == "/large" else 1)
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class Served:
    def __init__(self, app: App, port: int) -> None:
        self.app = app
        self.port = port

    def sent(self, data: bytes) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.port), timeout=LONG)
        made.sendall(data)
        return made


Serve = Callable[[type[HttpConnection]], Served]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(kind: type[HttpConnection]) -> Served:
            bound, app = socket.create_server(("127.0.0.1", 0)), App()
            within = min(kind.within, LONG)
            guarded = LoginInTime(app, within, kind.most)
            config = uvicorn.Config(guarded, http=kind, backlog=1, lifespan="off", timeout_graceful_shutdown=1)
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, args=([bound],))
            thread.start()
            stack.callback(bound.close)
            stack.callback(thread.join)
            stack.callback(setattr, server, "should_exit", True)
            stack.callback(app.go.set)
            return Served(app, bound.getsockname()[1])

        yield start


def is_cut_off(peer: socket.socket) -> bool:
    with suppress(ConnectionResetError):
        while peer.recv(1 << 20):
            pass
    return True


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(GET % b"", id="half a header"),
        pytest.param(GET % b"" + b"\r\n" + GET % b"", id="half a second header"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1", id="half a body, which is not read"),
    ],
)
def test_whoever_sends_no_whole_request_is_cut_off(serve: Serve, sent: bytes) -> None:
    assert is_cut_off(serve(Impatient).sent(sent))


def test_whoever_does_not_read_the_answer_is_cut_off(serve: Serve) -> None:
    served = serve(Impatient)
    peer = served.sent(GET % b"large" + b"\r\n")
    got = len(peer.recv(1))
    assert is_cut_off(served.sent(b"")), "which began to wait later"
    with suppress(ConnectionResetError):
        while said := peer.recv(1 << 20):
            got += len(said)
    assert got < LARGE


def test_a_request_at_work_and_a_websocket_are_waited_for(serve: Serve) -> None:
    served = serve(Impatient)
    peer = served.sent(GET % b"slow" + b"\r\n")
    with connect(f"ws://127.0.0.1:{served.port}", subprotocols=[Subprotocol("prefect")]) as socket_:
        socket_.send("login")
        assert socket_.recv() == "login"
        assert is_cut_off(served.sent(b"")) and is_cut_off(served.sent(b""))
        served.app.go.set()
        assert peer.recv(1024).startswith(b"HTTP/1.1 200")
        socket_.send("later")
        assert socket_.recv() == "later"


def test_a_websocket_that_does_not_log_in_is_ended(serve: Serve) -> None:
    address = f"ws://127.0.0.1:{serve(Impatient).port}"
    with connect(address, subprotocols=[Subprotocol("prefect")]) as silent, pytest.raises(ConnectionClosed):
        silent.recv(LONG)


def test_a_crowd_pushes_out_those_that_wait_longest_and_nobody_who_asks(serve: Serve) -> None:
    served = serve(Patient)
    slow = served.sent(GET % b"slow" + b"\r\n")
    assert served.app.begun.wait(LONG)
    crowd = [served.sent(GET % b"") for _ in range(8)]
    assert all(is_cut_off(peer) for peer in crowd[: -Patient.most])
    asking = served.sent(GET % b"" + b"\r\n")
    assert asking.recv(1024).startswith(b"HTTP/1.1 200")
    served.app.go.set()
    assert slow.recv(1024).startswith(b"HTTP/1.1 200")
    crowd[-1].sendall(b"\r\n")
    assert crowd[-1].recv(1024).startswith(b"HTTP/1.1 200")


def test_a_crowd_of_websockets_pushes_out_those_that_wait_longest(serve: Serve) -> None:
    address = f"ws://127.0.0.1:{serve(Patient).port}"
    with ExitStack() as stack:
        opened = [
            stack.enter_context(connect(address, subprotocols=[Subprotocol("prefect")]))
            for _ in range(Patient.most + 1)
        ]
        with pytest.raises(ConnectionClosed):
            opened[0].recv(LONG)
        opened[-1].send("login")
        assert opened[-1].recv() == "login"
