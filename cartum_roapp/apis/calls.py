"""How many HTTP requests a run has cost, by kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CallKind = Literal["cartum", "roapp_reads", "roapp_writes"]


@dataclass
class Calls:
    """Counts every HTTP request that was sent, each try of a repeated one included; a connection that was
    refused before anything was sent is not a call. One object may be shared by several clients of one
    event loop."""

    cartum: int = 0
    roapp_reads: int = 0
    roapp_writes: int = 0

    def add(self, kind: CallKind) -> None:
        setattr(self, kind, getattr(self, kind) + 1)

    @property
    def total(self) -> int:
        return self.cartum + self.roapp_reads + self.roapp_writes

    def as_dict(self) -> dict[str, int]:
        """The three counts and `total`, for a run's summary."""
        return {
            "cartum": self.cartum,
            "roapp_reads": self.roapp_reads,
            "roapp_writes": self.roapp_writes,
            "total": self.total,
        }
