"""Reads RO App's side: all of its orders or those of a night, then each order that seems to differ."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoOrder
from cartum_roapp.delivery import markers
from cartum_roapp.errors import BadRecord, Code
from cartum_roapp.reconciliation.findings import Difference, Finding
from cartum_roapp.reconciliation.sides import OrderInRoApp

#: Orders that one call looks at.
AT_ONCE = 50
#: The most calls of `read_again`, about six minutes of the account's budget.
MOST = 1000

_OF_LINES = {Difference.LINES_UNBOUND, Difference.EDITED_IN_ROAPP}

RoAppSide = dict[int, OrderInRoApp]


async def read(roapp: RoApp, shop: str, since: datetime) -> RoAppSide:
    """Returns RO App's orders created at `since` (aware) or later, by id, with one call for 50 orders of the account.
    Leaves out orders with an earlier date: RO App may ignore the filter."""
    found: RoAppSide = {}
    async for page in roapp.walk_orders(created_from=since):
        for order in page:
            if order.created_at is None or order.created_at >= since:
                found[order.id] = _order_in_roapp(order, shop)
    return found


async def look(
    roapp: RoApp, shop: str, ids: Collection[int], since: datetime, known: Collection[int], known_until: datetime
) -> RoAppSide:
    """Returns the orders with these ids, with one call for 50, and those with a marker of the shop that are not among
    the `known` ones, which reach until `known_until` (aware). Where RO App ignores ids, it reads like `read`."""
    found: RoAppSide = {}
    left = list(ids)
    while left:
        asked = left[:AT_ONCE]
        shown = await roapp.listed(asked)
        if shown is None or (len(shown) == 1 < len(asked) and not found):
            return await read(roapp, shop, since)
        found |= {order.id: _order_in_roapp(order, shop) for order in shown}
        # RO App may show fewer of them than it has, so those that it left out are asked for again.
        rest = [ro_id for ro_id in asked if ro_id not in found]
        left = [*(rest if len(rest) < len(asked) else []), *left[AT_ONCE:]]
    new = await read(roapp, shop, known_until - markers.CLOCKS)
    return found | {ro_id: one for ro_id, one in new.items() if one.number is not None and ro_id not in known}


async def read_again(roapp: RoApp, shop: str, side: RoAppSide, findings: Iterable[Finding]) -> tuple[set[str], int]:
    """Updates `side` for the orders of these findings, the newest first, those whose lines are to be read last: pages
    shift while a walk reads them, and a total does not show write-offs. Removes orders that are gone.

    Returns the numbers that were read, and how many were not: makes at most `MOST` calls.
    """
    looked: set[str] = set()
    calls = 0
    newest_first = sorted(findings, key=lambda one: (one.day, len(one.number), one.number), reverse=True)
    newest_first.sort(key=lambda one: one.what in _OF_LINES)
    for finding in newest_first:
        ids, of_lines = finding.roapp_ids, finding.what in _OF_LINES
        needed = len(ids) * (2 if of_lines else 1)
        if calls + needed > MOST:
            break
        calls += needed
        for ro_id in ids:
            await _read_order(roapp, shop, side, ro_id)
            if of_lines and ro_id in side:
                await _read_lines(roapp, side, ro_id)
        looked.add(finding.number)
    return looked, len({one.number for one in newest_first} - looked)


async def _read_order(roapp: RoApp, shop: str, side: RoAppSide, ro_id: int) -> None:
    seen = await roapp.order(ro_id)
    if seen is None:
        side.pop(ro_id, None)
    elif seen.shows_notes or ro_id not in side:
        side[ro_id] = _order_in_roapp(seen, shop)
    else:  # its marker is known from the walk
        side[ro_id] = replace(side[ro_id], total=seen.total)


async def _read_lines(roapp: RoApp, side: RoAppSide, ro_id: int) -> None:
    try:
        items = await roapp.items(ro_id)
    except BadRecord as error:
        if error.code != Code.NOT_FOUND:
            raise
        del side[ro_id]
    else:
        side[ro_id] = replace(side[ro_id], written_off=any(item.written_off for item in items))


def _order_in_roapp(order: RoOrder, shop: str) -> OrderInRoApp:
    marker = markers.read(order)
    own = marker is not None and marker[0] == shop
    return OrderInRoApp(
        ro_id=order.id,
        number=marker[1] if marker and own else None,
        foreign=None if own else marker,
        total=order.total,
        created_at=order.created_at,
        shows_marker=order.shows_notes,
        roapp_number=order.number,
        malfunction=order.malfunction,
    )
