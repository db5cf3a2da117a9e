"""What differs between shop, ledger and RO App, and how that is called. Pure: may be called twice.

No difference: what was never to be taken over (Delivered at the time of the import, and not in RO App), what the next
sync reads anyway, what waits for its delivery, what is held for a reason that a person sees or has dismissed, what the
shop has deleted, and lines of an order whose goods are written off.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pandas as pd

from cartum_roapp.delivery.bindings import DOUBLED
from cartum_roapp.ledger.release import DELETED
from cartum_roapp.ledger.standing import Standing
from cartum_roapp.reconciliation.findings import Difference, Finding
from cartum_roapp.reconciliation.sides import OrderInRoApp, day_of

#: Rounding of prices and totals on either side; no edit of a person is that small.
ROUNDING = Decimal("0.05")


def with_shop(shop: pd.DataFrame, ledger: pd.DataFrame, *, read_until: datetime, zone: ZoneInfo) -> list[Finding]:
    """Orders of the shop's side that the ledger lacks or has otherwise. Those created at `read_until` (aware) or
    later are the next sync's, and so is a change of an order that it reads again."""
    lost = shop[~shop["number"].isin(ledger["number"]) & (shop["created_at"] < read_until)].assign(total_known=None)
    both = shop.merge(ledger, on="number", suffixes=("", "_known"))
    differs = both["hash"] != both["hash_known"]
    changed = both["gone"] | (differs & both["settled"])
    wrong = ~differs & ~both["gone"] & (both["total"] != both["total_known"])
    parts = {
        Difference.MISSING_IN_LEDGER: lost,
        Difference.CHANGED_IN_SHOP: both[changed],
        Difference.SUM_DIFFERS_IN_LEDGER: both[wrong],
    }
    return [
        Finding(
            row["number"], day_of(row["created_at"], zone), what, shop_sum=row["total"], ledger_sum=row["total_known"]
        )
        for what, rows in parts.items()
        for row in rows.to_dict("records")
    ]


def not_in_shop(ledger: Iterable[Standing], missing: Collection[str], zone: ZoneInfo) -> list[Finding]:
    """Orders that the ledger believes to be in the shop and that a read by number did not return."""
    return [
        Finding(one.number, day_of(one.created_at, zone), Difference.NOT_IN_SHOP, ledger_sum=one.total)
        for one in ledger
        if one.number in missing and not one.gone
    ]


def with_roapp(
    ledger: Iterable[Standing], roapp: Iterable[OrderInRoApp], *, zone: ZoneInfo, moving: Collection[str] = ()
) -> list[Finding]:
    """What differs between ledger and RO App, one difference an order. The sums of `moving` orders, whose change is
    on its way from the shop, are not compared; an order whose total RO App does not tell differs until a closer look
    has brought it."""
    by_id = {one.ro_id: one for one in roapp}
    carriers = _carriers(by_id.values())
    found = []
    for order in ledger:
        bound = by_id.get(order.ro_id) if order.ro_id is not None else None
        marked = carriers.get(order.number, [])
        what = _verdict(order, bound, marked, moving=order.number in moving)
        if what is not None:
            ids = {one.ro_id for one in marked} | ({order.ro_id} if order.ro_id is not None else set())
            known = bound or (marked[0] if marked else None)
            found.append(
                Finding(
                    order.number,
                    day_of(order.created_at, zone),
                    what,
                    ledger_sum=order.total,
                    roapp_sum=known.total if known else None,
                    roapp_ids=tuple(sorted(ids)),
                )
            )
    return found


def unknown_markers(
    roapp: Iterable[OrderInRoApp], ledger: Collection[str], in_shop: Collection[str], zone: ZoneInfo
) -> list[Finding]:
    """RO App orders with a marker of this shop whose order neither the ledger nor the shop has, and those that are
    there twice though the ledger does not have them. `in_shop`: every number that the shop has shown."""
    found = []
    for number, rows in _carriers(one for one in roapp if one.number not in ledger).items():
        what = Difference.MARKER_OF_NOBODY if number not in in_shop else Difference.DOUBLED_IN_ROAPP
        if what is Difference.MARKER_OF_NOBODY or len(rows) > 1:
            day = day_of(rows[0].created_at, zone)
            ids = tuple(one.ro_id for one in rows)
            found.append(Finding(number, day, what, roapp_sum=rows[0].total, roapp_ids=ids))
    return found


def _carriers(roapp: Iterable[OrderInRoApp]) -> dict[str, list[OrderInRoApp]]:
    """Order number → what carries its marker, by id."""
    found: dict[str, list[OrderInRoApp]] = defaultdict(list)
    for one in sorted(roapp, key=lambda one: one.ro_id):
        if one.number is not None:
            found[one.number].append(one)
    return found


def _verdict(
    order: Standing, bound: OrderInRoApp | None, marked: list[OrderInRoApp], *, moving: bool
) -> Difference | None:
    if len(marked) > 1:
        return None if order.dismissed and order.held_because == DOUBLED else Difference.DOUBLED_IN_ROAPP
    if order.gone or order.state == "waiting":
        return None
    if order.state == "lost":
        return Difference.NOT_QUEUED
    if order.state == "held" and order.held_because is None:
        return Difference.HELD_WITHOUT_REASON
    nobodys = bound is None or (bound.number is None and not bound.foreign)
    if marked and marked[0].ro_id != order.ro_id and nobodys:  # the marker tells which order it is
        return Difference.BINDING_LOST if order.state == "delivered" or order.held_because == DELETED else None
    if bound is None:
        if order.held_because == DELETED:
            return None if order.dismissed else Difference.MISSING_IN_ROAPP
        return None if order.state == "held" and order.ro_id is None else Difference.MISSING_IN_ROAPP
    if order.held_because == DELETED:
        return Difference.BACK_IN_ROAPP
    if bound.number != order.number:
        return Difference.MARKER_MISSING if nobodys else Difference.MARKER_ELSEWHERE
    if order.state == "held" or moving:
        return None
    return _lines(order, bound)


def _lines(order: Standing, bound: OrderInRoApp) -> Difference | None:
    if bound.written_off or order.lines_held:
        return None
    differs = bound.total is None or abs(bound.total - order.rounded) > ROUNDING
    if not order.all_sent:
        return Difference.SUM_DIFFERS_IN_ROAPP if differs else Difference.LINES_UNBOUND
    return Difference.EDITED_IN_ROAPP if differs else None
