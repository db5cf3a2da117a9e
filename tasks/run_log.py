"""The lines that runs log, on their way to Prefect's server. Prefect's own way of sending them at once stops all its
queues of the process, and each new one keeps the context of the run in which it was begun for ever."""

from __future__ import annotations

import asyncio
import queue
from concurrent.futures import Future

from prefect.logging.handlers import APILogWorker, set_api_log_sink

#: Seconds.
_SENT_WITHIN = 10.0


class RunLog(APILogWorker):
    """Sends lines in batches, and at once where somebody waits for them."""

    def __init__(self, *args: str | int) -> None:
        super().__init__(*args)
        self._passed: list[Future[None]] = []

    def mark(self) -> Future[None]:
        """Returns what is done once all lines of before are sent."""
        mark: Future[None] = Future()
        with self._lock:
            self._queue.put_nowait(mark)  # type: ignore[arg-type]
        return mark

    async def _get_item(self, timeout: float | None = None) -> bytes | None:
        # Prefect takes the next item after it has sent the batch before.
        while self._passed:
            self._passed.pop().set_result(None)
        item = await super()._get_item(timeout)
        if isinstance(item, Future):
            self._passed.append(item)
            raise queue.Empty  # ends the batch
        return item


async def sent() -> None:
    """Returns once the lines that were logged before are at the server, or after ten seconds."""
    mark = RunLog.instance().mark()
    await asyncio.wait({asyncio.wrap_future(mark)}, timeout=_SENT_WITHIN)


set_api_log_sink(lambda line: RunLog.instance().send(line))
