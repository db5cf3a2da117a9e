"""The RO App order that a shop order is bound to, during one delivery."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cartum_roapp.apis.roapp.rows import RoOrder
from cartum_roapp.ledger.matches import OrderMatch
from cartum_roapp.ledger.outbox import Ask


@dataclass
class Bound:
    """The RO App order being brought up to date. `fresh`: made by us a moment ago, so it is known to be empty. `seen`
    is its newest reading, None if there was none, from `read_at` (time.monotonic()). `ask`: what a
    person asks of this delivery."""

    match: OrderMatch
    fresh: bool
    seen: RoOrder | None = None
    read_at: float = -math.inf
    ask: str = Ask.NOTHING

    @property
    def ro_id(self) -> int:
        return self.match.ro_id

    @property
    def client(self) -> int | None:
        """Whose order it is in RO App, as far as that is known."""
        return self.seen.client_id if self.seen is not None else self.match.contact_id
