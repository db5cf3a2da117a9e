"""HTTP as both sides speak it: one ASGI application that can also fail on purpose at exact points."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from sandbox.faults import Faults, Planned
from sandbox.messages import CHALLENGE, Answer, Call, Request, json_answer, page_answer

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Listener = Callable[[str, str, str], None]

LONGEST_WAIT = 3600.0  # seconds that a client is kept waiting


class Exchange:
    """One call that is being answered: its request, and the means to disturb it."""

    def __init__(self, request: Request, call: Call, receive: Receive, send: Send) -> None:
        self.request = request
        self.call = call
        self._receive = receive
        self._send = send

    async def wait(self, seconds: float) -> bool:
        """Sleep; True as soon as the client has gone."""
        gone = asyncio.ensure_future(self._gone())
        done, _ = await asyncio.wait({gone}, timeout=seconds)
        gone.cancel()
        return bool(done)

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def drop(self) -> None:
        """Close the connection without an answer."""
        self._send.__self__.transport.abort()  # type: ignore[attr-defined]  # uvicorn's own request cycle
        await asyncio.sleep(0.01)

    async def answer(self, answer: Answer) -> None:
        headers = [
            (b"content-type", answer.content_type.encode()),
            (b"content-length", str(len(answer.body)).encode()),
            *answer.headers,
        ]
        await self._send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": answer.body})


class WebApp:
    """The ASGI application of one port. Subclasses say what a call means (`begin`) and what `/_sandbox` answers.

    `lock` guards the state behind it; `on_call` listeners run in the server's thread, without the lock, with the
    phases "before" (the call was read, nothing done) and "applied" (done, not answered yet).
    """

    faults: Faults

    def __init__(self, lock: threading.RLock) -> None:
        self.lock = lock
        self.calls: list[Call] = []
        self._listeners: list[Listener] = []

    def on_call(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(method, path, phase)` from now on; returns a function that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def path_of(self, request: Request) -> str:
        """The path as it is logged and as faults match it."""
        return request.path

    def account_of(self, request: Request) -> tuple[int, Faults]:
        """Whose faults this call meets."""
        return 0, self.faults

    def refuse(self, exchange: Exchange) -> Answer | None:
        """An answer that is given before anything else: limits, wrong keys. None: go on."""
        raise NotImplementedError

    def apply(self, exchange: Exchange) -> Answer:
        """Do what the call asks for (called once, with the lock held) and answer it."""
        raise NotImplementedError

    def disturbed(self, exchange: Exchange, fault: Planned) -> Answer:
        """The answer of the faults `rate`, `unauthorized` and `word`."""
        raise NotImplementedError

    def control(self, request: Request) -> Answer:
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = await _read(scope, receive)
        if request.path == "/_sandbox" or request.path.startswith("/_sandbox/"):
            answer: Answer | None = self.control(request)
            await Exchange(request, _call(request, ""), receive, send).answer(answer or page_answer("", 404))
            return
        call = _call(request, self.path_of(request))
        exchange = Exchange(request, call, receive, send)
        call.account, faults = self.account_of(request)
        self.calls.append(call)
        answer = await self._serve(exchange, faults)
        if answer is not None:
            call.status = answer.status
            await exchange.answer(answer)

    async def _serve(self, exchange: Exchange, faults: Faults) -> Answer | None:
        call = exchange.call
        if faults.latency:
            await asyncio.sleep(faults.latency)
        with self.lock:
            refused = self.refuse(exchange)
        if refused is not None:
            return refused
        self._tell(call, "before")
        fault = faults.take(call.method, call.path)
        if fault is None:
            return self._apply(exchange)
        call.fault = fault.kind
        return await self._disturb(exchange, fault)

    async def _disturb(self, exchange: Exchange, fault: Planned) -> Answer | None:
        kind, _, after = fault.kind.partition("_")
        if kind in ("rate", "unauthorized", "word"):
            return self.disturbed(exchange, fault)
        if kind == "parked":
            await exchange.drop()
            while not fault.released:
                await asyncio.sleep(0.01)
            self._apply(exchange)
            return None
        if kind in ("late", "overdue"):
            await (exchange.drop() if kind == "late" else exchange.wait(LONGEST_WAIT))
            await asyncio.sleep(fault.seconds)
            self._apply(exchange)
            return None
        if kind == "hang" and not after:
            return None if await exchange.wait(fault.seconds) else self._apply(exchange)
        return await self._spoil(exchange, fault, self._apply(exchange) if after or kind == "half" else None)

    async def _spoil(self, exchange: Exchange, fault: Planned, answer: Answer | None) -> Answer | None:
        """What the client gets of an `answer` (None: nothing was applied)."""
        kind = fault.kind.partition("_")[0]
        if kind == "drop":
            await exchange.drop()
            return None
        if kind == "hang":
            return None if await exchange.wait(fault.seconds) else answer
        if kind == "says":
            return json_answer(fault.body)
        if kind == "html":
            return page_answer(CHALLENGE)
        if kind == "half" and answer is not None:
            return Answer(200, answer.body[: max(1, len(answer.body) // 2)])
        return page_answer(f"<html><body><h1>{fault.status}</h1></body></html>", fault.status)

    def _apply(self, exchange: Exchange) -> Answer:
        with self.lock:
            answer = self.apply(exchange)
        self._tell(exchange.call, "applied")
        return answer

    def _tell(self, call: Call, phase: str) -> None:
        for listener in list(self._listeners):
            listener(call.method, call.path, phase)


async def _read(scope: Scope, receive: Receive) -> Request:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            break
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return Request(scope["method"], scope["path"], query, headers, body)


def _call(request: Request, path: str) -> Call:
    try:
        body = json.loads(request.body) if request.body else None
    except ValueError:
        body = request.body.decode("utf-8", "replace")
    return Call(request.method, path, request.query, body, time.time(), time.monotonic(), request.headers)
