"""How long, and for how many peers at once, our web servers wait.

A connection with a request at work belongs to the application. Any other one waits for its peer: for a whole header,
for the next request, or until the peer reads its answer. Without a bound, half a request from any user of this machine
takes a file descriptor for ever.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

#: How many connections a server accepts before it reads from them. A quarter of those that may wait: whoever sends a
#: whole header at once is read before a crowd pushes it out.
BACKLOG = 150


class HttpConnection(H11Protocol):
    """One that waits for its peer longer than `within` seconds is cut off; so is the one that waits longest, where more
    than `most` wait in this process. uvicorn itself closes one that waits 5 s for the first byte of its next request.
    """

    within: ClassVar[float] = 10.0
    most: ClassVar[int] = 4 * BACKLOG
    #: Those that wait, the first one longest.
    _waiting: ClassVar[dict[HttpConnection, asyncio.TimerHandle]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._look()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._look()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._forget()

    def _look(self) -> None:
        if not self._waits():
            self._forget()
        elif self not in self._waiting:
            self._waiting[self] = self.loop.call_later(self.within, self._cut_off)
            if len(self._waiting) > self.most:
                next(iter(self._waiting))._cut_off()

    def _waits(self) -> bool:
        if self.transport.get_protocol() is not self:  # a websocket by now
            return False
        at_work = self.cycle is not None and not self.cycle.response_complete
        return not at_work or self.flow.write_paused

    def _cut_off(self) -> None:
        self._forget()
        self.transport.abort()  # `close` would first wait until the peer has read what was sent

    def _forget(self) -> None:
        if timer := self._waiting.pop(self, None):
            timer.cancel()
