"""RO App's totals, read back after lines were written, many orders in one call (design §2, P9).

A total that differs is held with both figures; statuses and comments continue.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from decimal import Decimal

from sqlalchemy.exc import IntegrityError, NoResultFound

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoOrder
from cartum_roapp.delivery import plan_total
from cartum_roapp.delivery.prices import wanted_lines, wanted_total
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord, Code
from cartum_roapp.ledger import agreed as ledger
from cartum_roapp.ledger import desired, held, matches, totals
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.totals import Due
from cartum_roapp.links import order_name
from cartum_roapp.shops import ShopConfig

log = logging.getLogger(__name__)

#: Orders that one call reads.
AT_ONCE = 50


class Totals:
    """Compares RO App's totals with the shop's (`plan_total`). To repeat any of it changes nothing."""

    def __init__(self, session: AccountSession, roapp: RoApp, shops: Mapping[str, ShopConfig]) -> None:
        self._session = session
        self._roapp = roapp
        self._shops = shops

    async def check(self, served: Collection[str]) -> None:
        """Reads the totals that are due of the `served` shops. Queues an order that has to be delivered again. Raises
        Retryable if RO App does not answer: what was not read stays due."""
        while True:
            with self._session.autocommit() as connection:
                due = totals.due(connection, self._session.account, served, AT_ONCE)
            if not due:
                return
            try:
                shown = await self._shown(due)
                for one in due:
                    await self._compare_or_pass(one, shown)
            except (IntegrityError, NoResultFound) as error:  # the shop was purged meanwhile
                log.warning("totals are not compared: %s", type(error).__name__)
                return

    def agrees(self, order: DesiredOrder, shop: ShopConfig, seen: RoOrder) -> bool:
        """Returns whether RO App's total is the shop's; then it need not be read again. `seen` was read after the lines
        were written."""
        total = wanted_total(order, shop)
        if seen.total != total:
            return False
        with self._session.transaction() as connection:
            held.clear(connection, order.shop, "total", [order.number])
            totals.note(connection, order.shop, order.number, total)
            matches.note_roapp_numbers(connection, order.shop, {seen.id: seen.number} if seen.number else {})
        return True

    async def _shown(self, due: Collection[Due]) -> dict[int, RoOrder] | None:
        """Returns the orders that RO App shows, by their ids; None if it refuses to show them together."""
        try:
            return {order.id: order for order in await self._roapp.orders([one.ro_id for one in due])}
        except BadRecord as error:
            log.warning("totals are read one by one: %s", error.message)
            return None

    async def _compare_or_pass(self, one: Due, shown: dict[int, RoOrder] | None) -> None:
        """One that is gone meanwhile stops no others: its next delivery finds that out."""
        try:
            seen = await self._roapp.order(one.ro_id) if shown is None else shown.get(one.ro_id)
            await self._compare(one, seen)
        except BadRecord as error:
            log.warning("the total of order %s can't be read back: %s", one.number, error.message)
            self._pass(one)

    def _pass(self, one: Due) -> None:
        """Counts one that can't be read as agreed."""
        with self._session.transaction() as connection:
            order = desired.read(connection, one.shop, one.number)
            totals.note(connection, one.shop, one.number, wanted_total(order, self._shops[one.shop]))

    async def _compare(self, one: Due, seen: RoOrder | None) -> None:
        with self._session.autocommit() as connection:
            order = desired.read(connection, one.shop, one.number)
            agreed, _ = ledger.read(connection, one.shop, one.number)
        shop = self._shops[one.shop]
        if seen is None:
            self._pass(one)
        if seen is None or self.agrees(order, shop, seen):
            return
        items = await self._roapp.items(one.ro_id)
        again = await self._roapp.order(one.ro_id)  # the list may be older than the lines
        expected, total = wanted_total(order, shop), seen.total if again is None else again.total
        compared = plan_total.compare(agreed, total, items, wanted_lines(order, shop, agreed), expected)
        with self._session.transaction() as connection:
            if seen.number:
                matches.note_roapp_numbers(connection, order.shop, {seen.id: seen.number})
            assert compared.agreed.total is not None
            totals.note(connection, one.shop, one.number, compared.agreed.total)
            if compared.differs is None:
                held.clear(connection, one.shop, "total", [one.number])
            else:
                problem = _differs(order, seen, compared.differs, expected)
                held.hold(connection, shop=one.shop, entity="total", id=one.number, error=problem)


def _differs(order: DesiredOrder, seen: RoOrder, total: Decimal, expected: Decimal) -> BadRecord:
    return BadRecord(
        f"RO App's total of order {order_name(seen.id, seen.number)} is {total:.2f} {order.currency} "
        f"without what staff added, the shop's is {expected:.2f}.",
        code=Code.TOTAL_DIFFERS,
        field="total",
        fix=Code.TOTAL_DIFFERS.remedy,
    )
