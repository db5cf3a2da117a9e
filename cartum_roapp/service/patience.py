"""How long to wait for a condition, and before a program that died is restarted."""

from __future__ import annotations

import time
from collections.abc import Callable

# Seconds: before each successive restart; of life after which deaths are counted from zero.
_WAITS = (0.0, 0.5, 2.0, 5.0, 15.0, 30.0)
_CALM = 60.0
_PAUSE = 0.02


class BackOff:
    """When a program that died may be restarted: at once the first time, then after growing times."""

    def __init__(self) -> None:
        self.deaths = 0
        self._next = 0.0

    def died(self) -> None:
        now = time.monotonic()
        self.deaths = 1 if now > self._next + _CALM else self.deaths + 1
        self._next = now + _WAITS[min(self.deaths, len(_WAITS)) - 1]

    def may_restart(self) -> bool:
        """Returns whether the wait after the last death is over; True before the first one."""
        return time.monotonic() >= self._next


def wait_until(condition: Callable[[], bool], timeout: float, pause: float = _PAUSE) -> bool:
    """Returns whether the condition became true within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
    return True
