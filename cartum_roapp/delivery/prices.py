"""What an order costs in RO App: its lines, and what they add up to."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from cartum_roapp.ledger.agreed import AgreedOrder
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.orders.pricing import PricedLine, ShopLine, cents, priced, total_of
from cartum_roapp.shops import ShopConfig

#: The key of the line for the delivery, where the shop's settings name a service for it.
DELIVERY = "service:delivery"


def wanted_total(order: DesiredOrder, shop: ShopConfig) -> Decimal:
    """Returns what RO App's total of the order has to be: the shop's, and the delivery where that is a line."""
    return cents(order.total) + total_of(_delivery(order, shop))


def wanted_lines(order: DesiredOrder, shop: ShopConfig, agreed: AgreedOrder) -> list[PricedLine]:
    """Returns the lines that the order has to have, beside those that RO App has."""
    parts = Counter(line.product for line in agreed.lines if line.quantity)
    return [*priced(goods_of(order), order.total, parts), *_delivery(order, shop)]


def goods_of(order: DesiredOrder) -> list[ShopLine]:
    """Returns the shop's lines."""
    return [ShopLine(line.product, line.price, line.quantity) for line in order.lines]


def _delivery(order: DesiredOrder, shop: ShopConfig) -> list[PricedLine]:
    if shop.delivery_service_id is None or not order.delivery_price:
        return []
    return [PricedLine.whole(ShopLine(DELIVERY, order.delivery_price, Decimal(1)))]
