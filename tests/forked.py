"""A process of its own, forked from the test's, so that it shares neither memory, connections nor clock of turns."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable


class Forked:
    """Runs `work` in a new process, and nothing else there: it never comes back into pytest."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.pid = os.fork()
        self.code: int | None = None
        if self.pid == 0:
            code = 1
            try:
                work()
                code = 0
            except BaseException:  # noqa: BLE001
                traceback.print_exc()
            finally:
                os._exit(code)

    def ended(self) -> int:
        """Waits for its end: 0, 1 after an exception, or minus the signal that killed it."""
        if self.code is None:
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code

    def kill(self) -> int:
        """`kill -9`, also of one that is over; gives what `ended` gives."""
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
        return self.ended()
