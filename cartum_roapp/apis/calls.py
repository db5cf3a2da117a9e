"""Counts the HTTP requests of a run, by kind, and tells whoever listens how each ended."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

CallKind = Literal["cartum", "roapp_reads", "roapp_writes"]

#: Hears of each request to RO App that this task makes: what was called ("POST /orders", without a query), and how that
#: ended ("HTTP 201", "no answer", "not sent").
on_request: ContextVar[Callable[[str, str], None] | None] = ContextVar("on_request", default=None)


@dataclass
class Calls:
    """Counts every HTTP request that was sent, including each try of a repeated one. A connection that was refused
    before anything was sent does not count. Several clients of one event loop may share one object."""

    cartum: int = 0
    roapp_reads: int = 0
    roapp_writes: int = 0

    def add(self, kind: CallKind) -> None:
        setattr(self, kind, getattr(self, kind) + 1)

    @property
    def total(self) -> int:
        return self.cartum + self.roapp_reads + self.roapp_writes

    def as_dict(self) -> dict[str, int]:
        return {
            "cartum": self.cartum,
            "roapp_reads": self.roapp_reads,
            "roapp_writes": self.roapp_writes,
            "total": self.total,
        }
