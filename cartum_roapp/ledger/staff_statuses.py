"""Statuses that staff set in RO App: which orders have one, and what the shop has of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from cartum_roapp.errors import Code
from cartum_roapp.ledger import held, journal, orders, shop_statuses, shops
from cartum_roapp.ledger.journal import Kind
from cartum_roapp.ledger.release import RETRY_DUE


@dataclass(frozen=True)
class Agreed:
    """What both sides of an order agreed on last: `shop_status`, and `roapp_status` where that was noted; and
    `staff_status`, what staff set in RO App since, where the shop does not have that yet. `restore_status`: the shop is
    to get this one, which a late write of ours undid. `roapp_number` is the number that people see there."""

    number: str
    ro_id: int
    shop_status: int
    roapp_status: int | None
    staff_status: int | None
    restore_status: int | None
    roapp_number: str = ""


# Except those whose last change of status RO App has not answered: it may arrive late.
_AGREED = """
    SELECT match.number, match.ro_id, match.sent_status AS shop_status, match.roapp_status, match.staff_status,
           match.restore_status, match.roapp_number
    FROM order_matches match JOIN orders USING (shop, number)
    WHERE match.shop = :shop AND match.sent_status IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM intents WHERE intents.account = match.account AND kind = 'status' AND state IN ('open', 'unclear')
        AND intents.shop = match.shop AND intents.number = match.number)
"""
_WAITING = f"""
    {_AGREED} AND match.staff_status IS NOT NULL AND match.sent_status = orders.status_id AND orders.gone_at IS NULL
    AND NOT EXISTS (
        SELECT FROM held WHERE held.shop = match.shop AND entity = 'status' AND held.id = match.number
        AND code = '{Code.REFUSED_BY_SHOP}' AND NOT ({RETRY_DUE}))
    ORDER BY length(match.number), match.number
"""
# Whoever delivers the order meanwhile has the newer word.
_STILL = """
    WHERE shop = :shop AND number = :number AND sent_status = :shop_status
    AND roapp_status IS NOT DISTINCT FROM :roapp_status AND staff_status IS NOT DISTINCT FROM :staff_status
    RETURNING number
"""
_NOTED = "coalesce(roapp_status, staff_status, written_status) IS NOT NULL"


def first_order(connection: Connection, shop: str) -> datetime | None:
    """When the oldest order of the shop that RO App has was placed (UTC)."""
    query = text("SELECT min(created_at) FROM orders JOIN order_matches USING (shop, number) WHERE shop = :shop")
    oldest: datetime | None = connection.scalar(query, {"shop": shop})
    return oldest


def clock(connection: Connection) -> datetime:
    """The moment of this transaction, for `agreed`."""
    now: datetime = connection.execute(text("SELECT now()")).scalar_one()
    return now


def agreed(connection: Connection, shop: str, ro_ids: Sequence[int], before: datetime) -> list[Agreed]:
    """Those of RO App's orders that are this shop's, and whose sides agreed at some time, `before` this moment last."""
    query = f"{_AGREED} AND match.ro_id = ANY(:ids) AND (match.agreed_at IS NULL OR match.agreed_at < :before)"
    rows = connection.execute(text(query), {"shop": shop, "ids": list(ro_ids), "before": before})
    return [Agreed(**row._mapping) for row in rows]


def waiting(connection: Connection, shop: str, pause: timedelta) -> list[Agreed]:
    """Orders whose `staff_status` the shop does not have yet, oldest number first, except those whose status in the
    shop has yet to reach RO App, because the shop's wins. One that the shop refused is due after one, two, four …
    `pause`s, at most four hours."""
    return [Agreed(**row._mapping) for row in connection.execute(text(_WAITING), {"shop": shop, "pause": pause})]


def note(
    connection: Connection, shop: str, known: Agreed, *, roapp_status: int | None, staff_status: int | None
) -> None:
    """Notes what RO App was seen to have: the status that both sides agree on, and what staff set there since (None:
    the sides agree). Nothing is noted where `known` is outdated. What is held because the shop refused an earlier
    status is let go. May be called twice."""
    sets = "roapp_status = :agreed, staff_status = :theirs, restore_status = NULL"
    if staff_status is None:
        sets += ", written_status = NULL"
    values = {"agreed": roapp_status, "theirs": staff_status}
    if (
        _still(connection, shop, known, sets, **values)
        and held.code(connection, shop, "status", known.number) == Code.REFUSED_BY_SHOP
    ):
        held.clear(connection, shop, "status", [known.number])


def write(connection: Connection, shop: str, known: Agreed, shop_status: int) -> bool:
    """Notes that the shop is given this status now: where it is read there before `settle`, the change is our own.
    So the order is read with the next sync, however old it is. False where `known` is outdated."""
    if not _still(connection, shop, known, "written_status = :status", status=shop_status):
        return False
    connection.execute(
        text(
            "UPDATE orders SET final_since = now() WHERE shop = :shop AND number = :number AND final_since IS NOT NULL"
        ),
        {"shop": shop, "number": known.number},
    )
    return True


def not_written(connection: Connection, shop: str, known: Agreed) -> None:
    """Nothing of ours can arrive in the shop any more: what is read there from now on is the shop's own change."""
    _still(connection, shop, known, "written_status = NULL")


def settle(connection: Connection, shop: str, known: Agreed, shop_status: int) -> None:
    """The shop has `shop_status` now, which stands for the `staff_status`; nothing is noted where `known` is outdated.

    The next read of the order counts as a change whatever it brings: it may have been changed again meanwhile."""
    sets = (
        "sent_status = :status, roapp_status = staff_status, staff_status = NULL, written_status = NULL, "
        "restore_status = NULL, agreed_at = now()"
    )
    if not _still(connection, shop, known, sets, status=shop_status):
        return
    connection.execute(
        text("UPDATE orders SET status_id = :status, final_since = now() WHERE shop = :shop AND number = :number"),
        {"shop": shop, "number": known.number, "status": shop_status},
    )
    journal.note(
        connection, shop, known.number, Kind.WRITTEN_BACK, status=shop_statuses.name(connection, shop, shop_status)
    )
    orders.distrust(connection, shop, [known.number])
    held.clear(connection, shop, "status", [known.number])


def any_noted(connection: Connection, shop: str) -> bool:
    """Is there something to `forget`?"""
    query = "SELECT EXISTS (SELECT FROM order_matches WHERE shop = :shop AND " + _NOTED + ")"
    return bool(connection.scalar(text(query), {"shop": shop}))


def forget(connection: Connection, shop: str) -> None:
    """The shop's statuses travel one way from now on: RO App's are staff's own again. May be called twice."""
    connection.execute(
        text(
            "UPDATE order_matches SET roapp_status = NULL, staff_status = NULL, written_status = NULL, "
            "restore_status = NULL "
            f"WHERE shop = :shop AND {_NOTED}"
        ),
        {"shop": shop},
    )
    connection.execute(text("DELETE FROM shop_writes WHERE shop = :shop"), {"shop": shop})
    connection.execute(
        text("DELETE FROM held WHERE shop = :shop AND entity = 'status' AND code = :code"),
        {"shop": shop, "code": Code.REFUSED_BY_SHOP},
    )
    shops.mark_statuses_read(connection, shop, None)


def _still(connection: Connection, shop: str, known: Agreed, sets: str, **values: int | None) -> bool:
    statement = text(f"UPDATE order_matches SET {sets} {_STILL}")
    return connection.execute(statement, {"shop": shop, **vars(known), **values}).one_or_none() is not None
