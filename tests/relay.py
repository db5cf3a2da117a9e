"""A TCP port that leads to another one, and a way that can be cut."""

from __future__ import annotations

import asyncio
import socket
import threading
from types import TracebackType
from typing import Self

_PIECE = 65_536


class Relay:
    """Listens at `port` and passes everything on to `target`, until it is cut: then nothing passes either way and
    nothing is closed, as if a cable were pulled. The far side gives its connections up, as a PostgreSQL does whose peer
    does not answer any more; the near side goes on waiting until `mend`, which resets it."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._open = True
        self._near: set[asyncio.StreamWriter] = set()
        self._far: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._bound = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._bound.getsockname()[1])
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.mend()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def cut(self) -> None:
        self._open = False

    def given_up(self) -> None:
        """The far side has noticed: its ends of the connections are gone."""
        self._call(self._reset, self._far)

    def mend(self) -> None:
        self._call(self._reset, self._near | self._far)
        self._open = True

    def lead_to(self, target: int) -> None:
        """From now on connections lead there; those of before are reset."""
        self._target = target
        self.mend()

    def _call(self, act, *arguments) -> None:  # type: ignore[no-untyped-def]
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (act(*arguments), done.set()))
        assert done.wait(10)

    def _reset(self, writers: set[asyncio.StreamWriter]) -> None:
        for writer in list(writers):
            writer.transport.abort()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(asyncio.start_server(self._serve, sock=self._bound))
        self._loop.run_forever()
        ending = asyncio.all_tasks(self._loop)
        self._loop.run_until_complete(asyncio.gather(*ending, return_exceptions=True))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._near.add(writer)
        try:
            await self._passable()
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            self._far.add(back)
            try:
                await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
            finally:
                self._far.discard(back)
                back.transport.abort()
        except OSError:
            pass
        finally:
            self._near.discard(writer)
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(_PIECE):
                await self._passable()
                writer.write(piece)
                await writer.drain()
        finally:
            await self._passable()  # while it is cut, neither side hears of the other's end
            writer.transport.abort()

    async def _passable(self) -> None:
        while not self._open:
            await asyncio.sleep(0.02)
