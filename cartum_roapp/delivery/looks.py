"""RO App's orders as they are seen: one call looks at those that are due next as well."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoOrder
from cartum_roapp.errors import BadRecord
from cartum_roapp.ledger.agreed import Field

#: Seconds: staff may have written since an older look.
YOUNG = 5.0

#: What a plan compares. Whether RO App's list of orders has all of it is in no source (roapp §3.2).
_COMPARED = {str(name) for name in Field}


class Looks:
    """`ahead` gives RO App's ids of the orders that are due next. Where RO App's list leaves out anything that a plan
    compares, each order is read by itself: what is not shown counts as agreed."""

    def __init__(self, roapp: RoApp, ahead: Callable[[], Iterable[int]]) -> None:
        self._roapp = roapp
        self._ahead = ahead
        self._seen: dict[int, tuple[RoOrder, float]] = {}
        self._written: dict[int, float] = {}
        self._looking = asyncio.Lock()
        self._lists_all = True

    async def at(self, ro_id: int) -> tuple[RoOrder | None, float]:
        """Returns the order as it was seen a moment ago, or is now, and when that was (`time.monotonic`); None where RO
        App does not have it. What was returned once is not returned again."""
        async with self._looking:
            if (found := self._taken(ro_id)) is not None:
                return found
            ids = list(dict.fromkeys([ro_id, *self._ahead()])) if self._lists_all else []
            if len(ids) > 1:
                await self._look_at(ids)
                if (found := self._taken(ro_id)) is not None:
                    return found
        return await self._roapp.order(ro_id), time.monotonic()

    def forget(self, ro_id: int) -> None:
        """A call of ours has changed the order: what was seen before, or is being read, does not show that."""
        self._seen.pop(ro_id, None)
        self._written[ro_id] = time.monotonic()

    async def _look_at(self, ids: list[int]) -> None:
        began = time.monotonic()
        try:
            shown = await self._roapp.listed(ids) or []
        except BadRecord:  # what is wrong with the list says nothing about the orders
            shown = []
        self._lists_all = bool(shown) and all(one.model_fields_set >= _COMPARED for one in shown)
        if self._lists_all:
            now = time.monotonic()
            self._seen |= {one.id: (one, now) for one in shown if self._written.get(one.id, 0.0) < began}

    def _taken(self, ro_id: int) -> tuple[RoOrder, float] | None:
        found = self._seen.pop(ro_id, None)
        return found if found is not None and time.monotonic() - found[1] < YOUNG else None
