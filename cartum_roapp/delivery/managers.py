"""Who looks after an order in RO App: the manager it was dealt to, as long as that one is employed; else another one.
Whom staff chose there stays."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from cartum_roapp import managers
from cartum_roapp.apis.roapp import Employee, RoApp
from cartum_roapp.apis.roapp.rows import RoOrder
from cartum_roapp.config import ShopConfig
from cartum_roapp.delivery.bindings import OrderBindings
from cartum_roapp.delivery.bound import Bound
from cartum_roapp.delivery.once import Once, utc_now
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadConfig, BadRecord, Code
from cartum_roapp.ledger import matches
from cartum_roapp.ledger.desired import DesiredOrder

log = logging.getLogger(__name__)

#: For so long a reading of the employees counts; an import takes hours.
FRESH = timedelta(minutes=10)


class OrderManagers:
    """The managers of the account's orders. RO App's employees are read once, and again when that is a while ago."""

    def __init__(self, session: AccountSession, roapp: RoApp, once: Once, bindings: OrderBindings) -> None:
        self._session = session
        self._roapp = roapp
        self._once = once
        self._bindings = bindings
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

    async def assignee(self, order: DesiredOrder, bound: Bound, shop: ShopConfig) -> int:
        """Returns who answers for a new line: who has the order, else who would get it. Raises what `choose` and `keep`
        raise."""
        return await self.keep(order, bound, shop) or await self.choose(order, shop)

    async def keep(self, order: DesiredOrder, bound: Bound, shop: ShopConfig) -> int | None:
        """Gives the order to another manager in RO App if the one who has it there has left and another one is there;
        otherwise notes who has it: staff may have given it to somebody else. Returns who has it then, None if it is not
        known. May be called twice. Raises what `OrderBindings.read` raises."""
        if bound.fresh or bound.manager is not None:
            return bound.manager or bound.match.manager_id
        seen = await self._bindings.read(bound)
        has = seen.manager_id or bound.match.manager_id
        if has is None or await self._is_active(has):
            self._note(order, bound, has)
            return has
        other = await self._other(order, shop)
        if other is not None and _shows_manager(seen):
            await self._hand_over(order, bound, other)
        return other

    async def _hand_over(self, order: DesiredOrder, bound: Bound, manager: int) -> None:
        """A refusal stops nothing: all else of the order is worth more, and the next change tries it again."""

        def bind(connection: Connection) -> None:
            matches.note_order(connection, order.shop, order.number, manager_id=manager)

        try:
            await self._once.change(
                self._once.operation("change", f"manager {bound.ro_id}", order.shop, order.number),
                send=lambda unclear: self._roapp.update_order(bound.ro_id, {"manager_id": manager}, unclear),
                bind=bind,
            )
        except BadRecord as error:
            if error.code != Code.REFUSED:
                raise
            log.warning("order %s keeps its manager, who has left: RO App refuses another one", order.number)
        else:
            bound.match = replace(bound.match, manager_id=manager)
        bound.manager = manager

    def _note(self, order: DesiredOrder, bound: Bound, manager: int | None) -> None:
        bound.manager = manager
        if bound.match.manager_id != manager:
            with self._session.transaction() as connection:
                matches.note_order(connection, order.shop, order.number, manager_id=manager)
            bound.match = replace(bound.match, manager_id=manager)

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


def _shows_manager(seen: RoOrder) -> bool:
    """Whether RO App tells who has the order; where it does not, staff may have given it to anybody."""
    return "manager_id" in seen.model_fields_set
