"""Which orders of a shop are taken over."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from cartum_roapp.orders.frames import Frames
from cartum_roapp.orders.rows import created_of, number_of, status_of
from cartum_roapp.orders.zones import to_utc

R = TypeVar("R", bound=Mapping[str, Any])

OVERLAP = timedelta(hours=26)  # how far a read of new orders reaches back: covers nights when clocks change
FINAL_FOR = timedelta(days=14)  # how long an order is read again after it reached a final status


@dataclass(frozen=True)
class Rule:
    """Which orders of one shop are taken over: of raw rows before the transform, of frames after it. All times are
    aware; the window is the frozen one of the first import."""

    window_from: datetime
    window_to: datetime
    successful: frozenset[int]
    zone: ZoneInfo

    def rows(self, rows: Mapping[str, R], known: Collection[str]) -> dict[str, R]:
        """Returns the raw rows that qualify, including unreadable ones."""
        return {key: row for key, row in rows.items() if self._takes(row, known)}

    def frames(self, frames: Frames, known: Collection[str]) -> Frames:
        orders = frames.orders
        return frames.only(
            number
            for number, status_id, created_at in zip(
                orders["number"], orders["status_id"], orders["created_at"], strict=True
            )
            if self.qualifies(number, status_id, created_at, known)
        )

    def _takes(self, row: object, known: Collection[str]) -> bool:
        if not isinstance(row, Mapping):
            return True
        created = created_of(row)
        return self.qualifies(number_of(row), status_of(row), created and to_utc(created, self.zone), known)

    def qualifies(
        self, number: str | None, status_id: int | None, created_at: datetime | None, known: Collection[str]
    ) -> bool:
        """Returns whether the order is taken over.

        An order that is in the ledger (`known`) is taken; also one created at `window_to` or later, in any status; also
        one of the window, unless it is in a `successful` status (Delivered). An older one is not. An unreadable value
        (None) counts in favour of the order, so that such a row is held and not lost.
        """
        if number in known or created_at is None or created_at >= self.window_to:
            return True
        return created_at >= self.window_from and (status_id is None or status_id not in self.successful)
