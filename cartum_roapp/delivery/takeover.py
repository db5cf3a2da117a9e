"""An RO App order that an earlier life of the ledger made: what is taken as done, so that nothing of it is undone.

Which lines, notes and fields it has can be read. Which side moved the status last can't.
"""

from __future__ import annotations

from sqlalchemy import Connection

from cartum_roapp.apis.roapp.rows import RoOrder
from cartum_roapp.config import ShopConfig
from cartum_roapp.delivery.decision import Given
from cartum_roapp.delivery.plan_status import plan_status
from cartum_roapp.errors import BadRecord, Code
from cartum_roapp.ledger import agreed, held, staff_statuses
from cartum_roapp.ledger.agreed import AgreedOrder, Field
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.links import order_name

NEW = 1  # the status in which every order of a shop begins (cartum §3)


def take_over(connection: Connection, order: DesiredOrder, seen: RoOrder, shop: ShopConfig) -> None:
    """In the transaction that binds the order. A status that RO App's staff set is not turned back; where the shop may
    have moved on meanwhile, that is held."""
    given, both_ways = Given(order.status_id, shop.statuses.get(order.status_id)), shop.status_direction == "both"
    untouched = frozenset(filter(None, [shop.statuses.get(NEW)]))
    planned = plan_status(None, given, seen.status_id, untouched=untouched, both_ways=both_ways)
    if planned.known is None or planned.operation is not None:
        return
    known = AgreedOrder({Field.STATUS: planned.known})
    agreed.store(connection, order.shop, order.number, AgreedOrder(), known, None)
    if both_ways:
        staffs = None if seen.status_id == planned.known.shown else seen.status_id
        staff_statuses.agree(connection, order.shop, order.number, staffs)
    if planned.problem is not None:
        problem = BadRecord(
            f"RO App order {order_name(seen.id, seen.number)} has another status than the shop's order, and the ledger "
            "that knew why is lost.",
            code=Code.STATUS_DIFFERS,
            field="status_id",
            fix="Set it in RO App by hand if the shop is right; the next change in the shop is carried over again.",
        )
        held.hold(connection, shop=order.shop, entity="status", id=order.number, error=problem)
