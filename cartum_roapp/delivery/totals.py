"""RO App's totals, read back after lines were written, many orders in one call (design §2, P9).

The first order with a discount shows what its account makes of it. The account remembers that, and the order is
delivered again with other discounts or prices. A total that still differs is held with both figures; statuses and
comments go on.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from sqlalchemy.exc import IntegrityError, NoResultFound

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoOrder
from cartum_roapp.config import ShopConfig
from cartum_roapp.delivery import plan_lines
from cartum_roapp.delivery.prices import AMOUNTS, AccountDiscounts, wanted_lines, wanted_total
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord, Code
from cartum_roapp.ledger import agreed as ledger
from cartum_roapp.ledger import desired, held, matches, orders, totals
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.orders import Priority
from cartum_roapp.ledger.totals import Due
from cartum_roapp.links import order_name
from cartum_roapp.orders.pricing import Discount, LineDiscounts, PricedLine, total_of

log = logging.getLogger(__name__)

#: Orders that one call reads.
AT_ONCE = 50


class Totals:
    """Compares RO App's totals with the shop's. All of it may be called twice."""

    def __init__(
        self, session: AccountSession, roapp: RoApp, discounts: AccountDiscounts, shops: Mapping[str, ShopConfig]
    ) -> None:
        self._session = session
        self._roapp = roapp
        self._discounts = discounts
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
                shown = {order.id: order for order in await self._roapp.orders([one.ro_id for one in due])}
                for one in due:
                    await self._compare_or_pass(one, shown.get(one.ro_id))
            except BadRecord as error:
                log.warning("totals can't be read back: %s", error.message)
                with self._session.transaction() as connection:
                    totals.settle(connection, [(one.shop, one.number) for one in due])
            except (IntegrityError, NoResultFound) as error:  # the shop was purged meanwhile
                log.warning("totals are not compared: %s", type(error).__name__)
                return

    def agrees(self, order: DesiredOrder, shop: ShopConfig, seen: RoOrder) -> bool:
        """Returns whether RO App's total is the shop's; then it need not be read again. `seen` was read after the lines
        were written."""
        if seen.total != wanted_total(order, shop):
            return False
        with self._session.transaction() as connection:
            if self._discounts.known is LineDiscounts.UNKNOWN:
                agreed, _ = ledger.read(connection, order.shop, order.number)
                sent = [line.sent for line in agreed.lines if line.sent.quantity]
                if total_of(sent, LineDiscounts.PER_LINE) != total_of(sent, LineDiscounts.PER_UNIT):
                    self._discounts.learn(connection, LineDiscounts.PER_LINE)
            held.clear(connection, order.shop, "total", [order.number])
            totals.settle(connection, [(order.shop, order.number)], seen.number)
        return True

    async def _compare_or_pass(self, one: Due, seen: RoOrder | None) -> None:
        """One that is gone meanwhile stops no others: its next delivery finds that out."""
        try:
            await self._compare(one, seen)
        except BadRecord as error:
            log.warning("the total of order %s can't be read back: %s", one.number, error.message)
            with self._session.transaction() as connection:
                totals.settle(connection, [(one.shop, one.number)])

    async def _compare(self, one: Due, seen: RoOrder | None) -> None:
        with self._session.autocommit() as connection:
            order = desired.read(connection, one.shop, one.number)
        if seen is not None and self.agrees(order, self._shops[one.shop], seen):
            return
        problem = await self._look_into(order, one, seen) if seen is not None else None
        with self._session.transaction() as connection:
            if problem is None:
                held.clear(connection, one.shop, "total", [one.number])
            else:
                held.hold(connection, shop=one.shop, entity="total", id=one.number, error=problem)
            totals.settle(connection, [(one.shop, one.number)], seen.number if seen is not None else "")

    async def _look_into(self, order: DesiredOrder, one: Due, seen: RoOrder) -> BadRecord | None:
        """Returns what is to be held; None where staff explain the difference, or where another delivery mends it: then
        that is queued."""
        shop = self._shops[one.shop]
        items = await self._roapp.items(one.ro_id)
        again = await self._roapp.order(one.ro_id)  # the list may be older than the lines
        with self._session.autocommit() as connection:
            agreed, _ = ledger.read(connection, one.shop, one.number)
        lines = [line.sent for line in agreed.lines if line.sent.quantity]
        known_as = self._discounts.known
        if not plan_lines.are_as_sent(agreed, items, known_as):
            return None  # staff changed a line of ours meanwhile
        theirs = plan_lines.of_staff(agreed, items)
        total = again.total if again is not None else seen.total
        if total is None:  # RO App shows no totals here, so what it makes of a discount can't be seen
            shown = LineDiscounts.NONE if any(line.discount for line in lines) else known_as
            total = total_of(lines, shown)
        else:
            total -= total_of(theirs, known_as)
            shown = _shown(lines, total, known_as)
        wanted = wanted_total(order, shop)
        if total == wanted and shown is known_as:
            return None
        believed = shown if known_as.is_before(shown) else known_as
        counted = believed if believed is not known_as else self._discounts.of(order)
        as_wanted = set(wanted_lines(order, shop, counted)) == set(lines)
        prices_left = known_as in AMOUNTS and any(line.discount for line in lines)  # to be tried
        if total == wanted and as_wanted:
            return None
        if any(item.written_off for item in items) or (as_wanted and not prices_left):
            return None if total == wanted else _differs(order, seen, total, wanted)
        with self._session.transaction() as connection:
            because = "RO App's total shows what it makes of a discount: it is sent in another way"
            if as_wanted:
                matches.note_order(connection, one.shop, one.number, discount_in_prices=True)
            else:
                self._discounts.learn(connection, believed)
            matches.note_order(connection, one.shop, one.number, goods=None)
            orders.requeue(connection, one.shop, [one.number], Priority.CHANGE, because)
        return None


def _shown(lines: Sequence[PricedLine], total: Decimal, known: LineDiscounts) -> LineDiscounts:
    """Returns what this total of these lines shows of the account: what is known where that explains it or nothing
    does, otherwise what does, or what is to be tried next."""
    if total_of(lines, known) == total:
        return known
    if not any(line.discount.amount for line in lines):
        return LineDiscounts.NONE if any(line.discount for line in lines) else known
    for discounts in (LineDiscounts.PER_LINE, LineDiscounts.PER_UNIT):
        if total_of(lines, discounts) == total:
            return discounts if known.is_before(discounts) else LineDiscounts.PERCENTAGE
    ignored = total_of((replace(line, discount=Discount()) for line in lines), known) == total
    return LineDiscounts.PERCENTAGE if ignored or known is LineDiscounts.UNKNOWN else known


def _differs(order: DesiredOrder, seen: RoOrder, total: Decimal, wanted: Decimal) -> BadRecord:
    return BadRecord(
        f"RO App's total of order {order_name(seen.id, seen.number)} is {total:.2f} {order.currency} "
        f"without what staff added, the shop's is {wanted:.2f}.",
        code=Code.TOTAL_DIFFERS,
        field="total",
        fix="Correct a price in RO App by hand; it is read again by itself.",
    )
