"""What an order costs in RO App: its lines, what they add up to, and what the account makes of a line's discount."""

from __future__ import annotations

import logging
from decimal import Decimal

from sqlalchemy import Connection

from cartum_roapp.config import ShopConfig
from cartum_roapp.delivery import plan_lines
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.ledger import totals
from cartum_roapp.ledger.agreed import AgreedOrder
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.orders.pricing import LineDiscounts, PricedLine, cents, priced

log = logging.getLogger(__name__)

#: Of accounts that count amounts.
AMOUNTS = (LineDiscounts.PER_LINE, LineDiscounts.PER_UNIT)
#: The key of the line for the delivery, where the shop's settings name a service for it.
DELIVERY = "service:delivery"


def wanted_total(order: DesiredOrder, shop: ShopConfig) -> Decimal:
    """Returns what RO App's total of the order has to be: the shop's, and the delivery where that is a line."""
    return cents(order.total) + sum(line.gross for line in _delivery(order, shop))


def wanted_lines(order: DesiredOrder, shop: ShopConfig, discounts: LineDiscounts) -> list[PricedLine]:
    """Returns the lines that the order has to have in an account that counts discounts like this."""
    goods = [PricedLine(line.product, line.price, line.quantity) for line in order.lines]
    return [*priced(goods, order.total, discounts), *_delivery(order, shop)]


def _delivery(order: DesiredOrder, shop: ShopConfig) -> list[PricedLine]:
    if shop.delivery_service_id is None or not order.delivery_price:
        return []
    return [PricedLine(DELIVERY, cents(order.delivery_price), Decimal(1))]


class AccountDiscounts:
    """What the account makes of a line's discount, as far as its orders have shown (ADR 0004)."""

    def __init__(self, session: AccountSession) -> None:
        self._session = session
        with session.autocommit() as connection:
            self.known = totals.line_discounts(connection, session.account)
        #: (shop, number) of orders whose total is to show it
        self.unproven: set[tuple[str, str]] = set()
        self._accepted = False
        self._in_prices: set[tuple[str, str]] = set()

    def of(self, order: DesiredOrder, shop: ShopConfig, agreed: AgreedOrder) -> LineDiscounts:
        """Returns how the order is priced: as the account counts, or NONE where that did not give its total: its unit
        prices carry the discount then, as long as its lines stay as they are."""
        if self.known not in AMOUNTS or (order.shop, order.number) in self._in_prices:
            return LineDiscounts.NONE if self.known in AMOUNTS else self.known
        ways = (self.known, LineDiscounts.NONE)
        sent = (way for way in ways if plan_lines.are_priced(agreed, wanted_lines(order, shop, way)))
        return next(sent, self.known)

    def note_sent(self, order: DesiredOrder, line: PricedLine) -> None:
        """A line is being sent. Which orders have to show what is not known: the first one with a discount at all, and
        those whose discount is not the same for line and unit."""
        if self.known is LineDiscounts.UNKNOWN and line.discount and (line.quantity != 1 or not self._accepted):
            self._accepted = True
            self.unproven.add((order.shop, order.number))

    def take(self, connection: Connection, way: LineDiscounts, order: DesiredOrder) -> None:
        """The order's total asks for this way. Where the account counts amounts, prices carry the discount of this
        order alone."""
        if way is LineDiscounts.NONE and self.known in AMOUNTS:
            self._in_prices.add((order.shop, order.number))
        else:
            self.learn(connection, way)

    def learn(self, connection: Connection, shown: LineDiscounts) -> None:
        """An order has shown it. What an order has disproved is not believed again, so this ends."""
        if not self.known.is_before(shown):
            return
        totals.learn(connection, self._session.account, shown)
        log.info("account %s: discounts of lines count %s", self._session.account, shown)
        self.known = shown
