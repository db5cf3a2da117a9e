"""Counts the HTTP requests of a run, by kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CallKind = Literal["cartum", "roapp_reads", "roapp_writes"]


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
