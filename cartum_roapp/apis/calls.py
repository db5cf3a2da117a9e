"""Counts the HTTP requests of a run, by kind, until its time is up, and tells whoever listens how each ended."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from cartum_roapp.errors import Retryable

CallKind = Literal["cartum", "roapp_reads", "roapp_writes"]

#: Hears of each request to RO App that this task makes: what was called ("POST /orders", without a query), and how that
#: ended ("HTTP 201", "no answer", "not sent").
on_request: ContextVar[Callable[[str, str], None] | None] = ContextVar("on_request", default=None)


class TimeIsUp(Retryable):
    """The run takes too long: it ends before its next call. Nothing was written, and the next run goes on."""


@dataclass
class Calls:
    """Counts every HTTP request that was sent, including each try of a repeated one. A connection that was refused
    before anything was sent does not count. Several clients of one event loop may share one object.

    `seconds`: how long calls may begin, from now on; `fix` says what to do where that is too short."""

    cartum: int = 0
    roapp_reads: int = 0
    roapp_writes: int = 0
    seconds: float = math.inf
    fix: str = "Repeat."

    def __post_init__(self) -> None:
        self._end = time.monotonic() + self.seconds

    @property
    def left(self) -> float:
        """Returns the seconds that are left."""
        return self._end - time.monotonic()

    def may_go_on(self) -> None:
        """Raises TimeIsUp when the time is up. To be called before whatever may go on for long."""
        if self.left <= 0:
            raise TimeIsUp(
                f"not done after {self.seconds:g} s, with {self.cartum} calls to the shop and "
                f"{self.roapp_reads + self.roapp_writes} to RO App: it ends here.",
                fix=self.fix,
            )

    def add(self, kind: CallKind) -> None:
        setattr(self, kind, getattr(self, kind) + 1)

    @property
    def total(self) -> int:
        return self.cartum + self.roapp_reads + self.roapp_writes

    @property
    def by_kind(self) -> dict[str, int]:
        return {"cartum": self.cartum, "roapp_reads": self.roapp_reads, "roapp_writes": self.roapp_writes}
