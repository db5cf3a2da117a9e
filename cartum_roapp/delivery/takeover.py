"""An RO App order that an earlier life of the ledger made: what is taken as done, so that nothing of it is undone.

Which lines, notes and fields it has can be read. Which side moved the status last can't.
"""

from __future__ import annotations

from sqlalchemy import Connection

from cartum_roapp.apis.roapp.rows import RoOrder
from cartum_roapp.config import ShopConfig
from cartum_roapp.errors import BadRecord, Code
from cartum_roapp.ledger import held, matches
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.links import order_name

NEW = 1  # the status in which every order of a shop begins (cartum §3)


def take_over(connection: Connection, order: DesiredOrder, seen: RoOrder, shop: ShopConfig) -> None:
    """In the transaction that binds the order.

    A status that RO App's staff set is not turned back; where the shop may have moved on meanwhile, a person is
    told, so that this is not lost in silence.
    """
    status = order.status_id if _is_staffs(order, seen, shop) else None
    matches.note_order(connection, order.shop, order.number, sent_status=status)
    if status is not None and shop.status_direction == "both":
        new = status == NEW  # then it was staff's to move it on
        agreed = shop.statuses[NEW] if new else seen.status_id
        staffs = seen.status_id if new else None
        matches.agree(connection, order.shop, order.number, status, roapp_status=agreed, staff_status=staffs)
    if status not in (None, NEW):
        name = order_name(seen.id, seen.number)
        problem = BadRecord(
            f"RO App order {name} has another status than the shop's order, and the ledger that knew why is lost.",
            code=Code.STATUS_DIFFERS,
            field="status_id",
            fix="Set it in RO App by hand if the shop is right; the next change in the shop is carried over again.",
        )
        held.hold(connection, shop=order.shop, entity="status", id=order.number, error=problem)


def _is_staffs(order: DesiredOrder, seen: RoOrder, shop: ShopConfig) -> bool:
    """Neither what the shop has now, nor what an order has that nobody has touched yet."""
    wanted = shop.statuses.get(order.status_id)
    return wanted is not None and seen.status_id not in (None, wanted, shop.statuses.get(NEW))
