"""Who looks after an order in RO App: the manager it was dealt to, as long as that one is employed; else another one.
Whom staff chose there stays."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from cartum_roapp import managers
from cartum_roapp.apis.roapp import Employee, RoApp
from cartum_roapp.delivery.doubt import utc_now
from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.shops import ShopConfig

#: For so long a reading of the employees counts; an import takes hours.
FRESH = timedelta(minutes=10)


class OrderManagers:
    """The managers of the account's orders. RO App's employees are read once, and again when that is a while ago."""

    def __init__(self, roapp: RoApp) -> None:
        self._roapp = roapp
        self._read: Mapping[int, Employee] = {}
        self._read_at: datetime | None = None
        self._reading = asyncio.Lock()

    async def choose(self, order: DesiredOrder, shop: ShopConfig) -> int:
        """Returns who gets the order: the same one however often this is asked. Raises BadConfig if nobody can."""
        found = await self._other(order, shop)
        if found is None:
            raise BadConfig(
                "none of the managers is an active employee of RO App.",
                shop=shop.slug,
                field="managers",
                fix="Choose active employees, or `all`.",
            )
        return found

    async def assignee(self, order: DesiredOrder, shop: ShopConfig, has: int | None) -> int:
        """Returns who answers for a new line: who `has` the order, else who would get it. Raises what `choose`
        raises."""
        return has if has is not None and await self._is_active(has) else await self.choose(order, shop)

    async def successor(self, order: DesiredOrder, shop: ShopConfig, has: int | None) -> int | None:
        """Returns who takes over the order of one who has left; None where the one who `has` it is employed, or nobody
        else can."""
        return None if has is None or await self._is_active(has) else await self._other(order, shop)

    async def _other(self, order: DesiredOrder, shop: ShopConfig) -> int | None:
        able = managers.chosen((await self._employees()).values(), shop.managers)
        return managers.dealt(order.shop, order.number, able) if able else None

    async def _is_active(self, id: int) -> bool:
        found = (await self._employees()).get(id)
        return found is not None and found.is_active

    async def _employees(self) -> Mapping[int, Employee]:
        async with self._reading:  # of several orders in flight one reads them for all
            if self._read_at is None or utc_now() - self._read_at > FRESH:
                self._read = {one.id: one for one in await self._roapp.employees()}
                self._read_at = utc_now()
            return self._read
