"""Whether a program answers, which its supervisor asks it again and again."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread


class Answering:
    """Of one process.

    ready         it has answered when it was last asked
    has_answered  it has answered at least once
    silent_since  when one that had answered was first asked in vain, in seconds since 1970
    misses        how often in a row that happened
    """

    def __init__(self) -> None:
        self.ready = False
        self.has_answered = False
        self.silent_since: float | None = None
        self.misses = 0
        self._asked: Future[bool] | None = None
        self._ask_at = 0.0

    def look(self, ask: Callable[[], bool], every: float) -> None:
        """Asks it in a thread, as the caller waits for nobody, or takes the answer: without a pause until it has
        answered once, then after `every` seconds. Raises what `ask` raises."""
        if self._asked is None:
            if time.monotonic() >= self._ask_at:
                self._asked = _in_a_thread(ask)
            return
        if not self._asked.done():
            return
        asked, self._asked = self._asked, None
        self.ready = asked.result()
        if self.ready:
            self.has_answered, self.silent_since, self.misses = True, None, 0
        elif self.has_answered:
            self.silent_since, self.misses = self.silent_since or time.time(), self.misses + 1
        if self.has_answered:
            self._ask_at = time.monotonic() + every


def _in_a_thread(ask: Callable[[], bool]) -> Future[bool]:
    answer: Future[bool] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:  # noqa: BLE001 - raised where the answer is read
            answer.set_exception(error)

    Thread(target=run, daemon=True).start()
    return answer
