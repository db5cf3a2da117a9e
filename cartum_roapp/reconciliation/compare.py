"""Finds the differences between shop, ledger and RO App. All functions are pure.

These do not count as differences: orders that were never to be taken over (Delivered at the time of the import, and not
in RO App); what the next sync reads anyway; orders that wait for delivery; orders that are held for a reason that a
person sees or has dismissed; orders that the shop has deleted; lines of orders whose goods are written off; totals that
RO App does not show, and those that were reported before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

from cartum_roapp.errors import Code
from cartum_roapp.ledger.standing import Standing
from cartum_roapp.reconciliation.findings import Difference, Finding
from cartum_roapp.reconciliation.sides import OrderInRoApp, day_of


def with_shop(shop: pd.DataFrame, ledger: pd.DataFrame, *, read_until: datetime, zone: ZoneInfo) -> list[Finding]:
    """Returns the shop's orders that the ledger lacks or has with other content. Orders created at `read_until` (aware)
    or later are left to the next sync, and so are changes of orders that it reads again."""
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
    """Returns the orders that the ledger has as existing in the shop and that a read by number did not return."""
    return [
        Finding(one.number, day_of(one.created_at, zone), Difference.NOT_IN_SHOP, ledger_sum=one.total)
        for one in ledger
        if one.number in missing and not one.gone
    ]


def with_roapp(
    ledger: Iterable[Standing], roapp: Iterable[OrderInRoApp], *, zone: ZoneInfo, moving: Collection[str] = ()
) -> list[Finding]:
    """Returns what differs between ledger and RO App, at most one difference per order. Sums of `moving` orders are not
    compared: their change is on its way from the shop."""
    by_id = {one.ro_id: one for one in roapp}
    carriers = _carriers(by_id.values())
    found = []
    for order in ledger:
        bound = by_id.get(order.ro_id) if order.ro_id is not None else None
        marked = carriers.get(order.number, [])
        what = _verdict(order, bound, marked, moving=order.number in moving)
        if what is not None:
            ids = {} if order.ro_id is None else {order.ro_id: order.roapp_number}
            ids |= {one.ro_id: one.roapp_number or ids.get(one.ro_id, "") for one in marked}
            known = bound or (marked[0] if marked else None)
            found.append(
                Finding(
                    order.number,
                    day_of(order.created_at, zone),
                    what,
                    ledger_sum=order.total,
                    roapp_sum=known.total if known else None,
                    roapp_ids=tuple(sorted(ids)),
                    roapp_numbers=tuple(ids[ro_id] for ro_id in sorted(ids)),
                )
            )
    return found


def unknown_markers(
    roapp: Iterable[OrderInRoApp], ledger: Collection[str], in_shop: Collection[str], zone: ZoneInfo
) -> list[Finding]:
    """Returns RO App orders with a marker of this shop that are not in the ledger, if the shop does not have them
    either or if several have the same marker. `in_shop`: all numbers that were read from the shop."""
    found = []
    for number, rows in _carriers(one for one in roapp if one.number not in ledger).items():
        what = Difference.MARKER_OF_NOBODY if number not in in_shop else Difference.DOUBLED_IN_ROAPP
        if what is Difference.MARKER_OF_NOBODY or len(rows) > 1:
            day = day_of(rows[0].created_at, zone)
            ids, numbers = tuple(one.ro_id for one in rows), tuple(one.roapp_number for one in rows)
            found.append(Finding(number, day, what, roapp_sum=rows[0].total, roapp_ids=ids, roapp_numbers=numbers))
    return found


def _carriers(roapp: Iterable[OrderInRoApp]) -> dict[str, list[OrderInRoApp]]:
    """Returns order number → the RO App orders with its marker, sorted by id."""
    found: dict[str, list[OrderInRoApp]] = defaultdict(list)
    for one in sorted(roapp, key=lambda one: one.ro_id):
        if one.number is not None:
            found[one.number].append(one)
    return found


def _verdict(
    order: Standing, bound: OrderInRoApp | None, marked: list[OrderInRoApp], *, moving: bool
) -> Difference | None:
    if len(marked) > 1:
        return None if order.dismissed and order.held_because == Code.DOUBLED else Difference.DOUBLED_IN_ROAPP
    if order.gone or order.state == "waiting":
        return None
    if order.state == "lost":
        return Difference.NOT_QUEUED
    if order.state == "held" and order.held_because is None:
        return Difference.HELD_WITHOUT_REASON
    unmarked = bound is None or (bound.number is None and not bound.foreign)
    if marked and marked[0].ro_id != order.ro_id and unmarked:  # another RO App order has its marker
        lost = order.state == "delivered" or order.held_because == Code.DELETED_IN_ROAPP
        return Difference.BINDING_LOST if lost else None
    if bound is None:
        if order.held_because == Code.DELETED_IN_ROAPP:
            return None if order.dismissed else Difference.MISSING_IN_ROAPP
        return None if order.state == "held" and order.ro_id is None else Difference.MISSING_IN_ROAPP
    if order.held_because == Code.DELETED_IN_ROAPP:
        return Difference.BACK_IN_ROAPP
    if bound.number != order.number and bound.shows_marker and not order.erased:
        return Difference.MARKER_MISSING if unmarked else Difference.MARKER_ELSEWHERE
    if order.state == "held" or moving:
        return None
    if bound.written_off or order.lines_held:
        return None
    if not order.lines_known:
        return Difference.LINES_UNBOUND
    is_known = bound.total in (None, order.total, order.total + order.staff_total)
    return None if is_known else Difference.EDITED_IN_ROAPP
