"""What staff set in RO App, written back into the shop: an order's status, where the shop's `status_direction` is both.

`look` notes in the ledger which orders staff have moved in RO App, `bring` sets their statuses in the shop. Either may
be killed and called again: a status is set, not added. Where both sides were changed, the shop's change wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine

from cartum_roapp.apis.cartum import Cartum
from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.config import ShopConfig
from cartum_roapp.errors import BadRecord, Retryable
from cartum_roapp.ledger import database, held, shops, staff_statuses
from cartum_roapp.ledger.release import REFUSED_BY_SHOP
from cartum_roapp.ledger.staff_statuses import Agreed
from cartum_roapp.orders.rows import status_of

_OVERLAP = timedelta(minutes=10)
_LONG = timedelta(minutes=5)
# RO App's clock may be ahead of ours by an hour or two; a stamp beyond that is no clock's.
_CLOCKS = timedelta(hours=2)
_TRIES = 3


def shop_status(shop: ShopConfig, roapp_status: int) -> int | None:
    """The shop's status that stands for this one of RO App: the lowest of those that are matched with it."""
    return min((ours for ours, theirs in shop.statuses.items() if theirs == roapp_status), default=None)


async def look(engine: Engine, shop: ShopConfig, roapp: RoApp, started: datetime) -> None:
    """Notes what staff changed in RO App since the last look; what was delivered since the run `started` (UTC) is left
    to the next one, as RO App may show it a little after its answer. The first look reads all orders, and takes for
    agreed what RO App has by then of those that were delivered while statuses travelled one way. Where RO App ignores
    `modified_at[]` (roapp §2), every look reads all. Raises what RoApp raises; the next look
    begins at the same moment then."""
    read_to = shops.state(engine, shop.key).statuses_read_to
    with database.reading(engine) as connection:
        began, oldest = staff_statuses.clock(connection), staff_statuses.first_order(connection, shop.key)
    if oldest is None:
        return
    newest, latest = read_to, datetime.now(UTC) + _CLOCKS
    since = oldest - timedelta(days=1) if read_to is None else read_to - _OVERLAP
    async for page in roapp.walk_orders(modified_from=since):
        seen = {row.id: row.status_id for row in page if row.status_id is not None}
        with engine.begin() as connection:
            for known in staff_statuses.agreed(connection, shop.key, list(seen), before=min(began, started)):
                _note(connection, shop, known, seen[known.ro_id])
        stamps = [row.modified_at for row in page if row.modified_at is not None and row.modified_at <= latest]
        newest = max([*stamps, *([] if newest is None else [newest])], default=None)
    lasted = datetime.now(UTC) - started
    if newest is not None and newest != read_to:
        # What is changed since then may stand on a page that is read already; and a stamp may be ahead of the others.
        until = min(newest - lasted if lasted > _LONG else newest, started)
        with engine.begin() as connection:
            shops.statuses_read(connection, shop.key, until)


def _note(connection: Connection, shop: ShopConfig, known: Agreed, theirs: int) -> None:
    if theirs == (known.roapp_status if known.staff_status is None else known.staff_status):
        return
    as_it_was = known.roapp_status in (None, theirs) or shop.statuses.get(known.shop_status) == theirs
    if as_it_was or shop_status(shop, theirs) is None:  # else a step of the workshop's that the shop has no word for
        staff_statuses.note(connection, shop.key, known, roapp_status=theirs, staff_status=None)
    else:
        staff_statuses.note(connection, shop.key, known, roapp_status=known.roapp_status, staff_status=theirs)


async def bring(engine: Engine, shop: ShopConfig, api: Cartum, pause: timedelta) -> list[str]:
    """Sets in the shop what `look` has noted. Returns the numbers of the orders whose status in the shop follows RO
    App's now. One that the shop does not take is held, and due again after `pause`, then more and more rarely. While no
    other run reads this shop. Raises what Cartum's reads raise; what was not set waits."""
    with database.reading(engine) as connection:
        waiting = staff_statuses.waiting(connection, shop.key, pause)
    return [one.number for one in waiting if await _bring(engine, shop, api, one)]


async def _bring(engine: Engine, shop: ShopConfig, api: Cartum, one: Agreed) -> bool:
    assert one.staff_status is not None
    ours = shop_status(shop, one.staff_status)
    wanted = one.shop_status if ours is None else ours  # it is not matched any more
    with engine.begin() as connection:
        if not staff_statuses.write(connection, shop.key, one, wanted):
            return False
    tried = await _set(api, one, wanted)
    with engine.begin() as connection:
        if tried.status == wanted:
            staff_statuses.settle(connection, shop.key, one, wanted)
            return True
        if tried.status == one.shop_status:
            held.hold(connection, shop=shop.key, entity="status", id=one.number, error=_not_taken(one, tried.why))
        if not tried.unanswered:
            staff_statuses.not_written(connection, shop.key, one)
    return False


@dataclass
class _Tried:
    """The `status` that the shop has in the end, and `why` it is not the wanted one. `unanswered`: it may come yet."""

    status: int | None
    why: str = "it said that it has the new status, and kept the old one"
    unanswered: bool = False


async def _set(api: Cartum, one: Agreed, wanted: int) -> _Tried:
    """Right before each try the order is read: where the shop has moved it meanwhile, the shop's change wins."""
    tried = _Tried(None)
    for _ in range(_TRIES):
        tried.status = await _status(api, one.number)
        if tried.status != one.shop_status or tried.status == wanted:
            return tried
        try:
            await api.set_status(one.number, wanted)
        except BadRecord as error:
            tried.why = error.message
            break
        except Retryable as error:
            tried.why, tried.unanswered = error.message, True
    tried.status = await _status(api, one.number)
    return tried


async def _status(api: Cartum, number: str) -> int | None:
    row = (await api.walk_orders(numbers=[number])).get(number)
    return None if row is None else status_of(row)


def _not_taken(one: Agreed, why: str) -> BadRecord:
    return BadRecord(
        f"the shop does not take the status that RO App order {one.ro_id} has: {why}.",
        code=REFUSED_BY_SHOP,
        field="status_id",
        fix="Set one of them by hand, in the shop or in RO App, so that they agree; it is tried again by itself.",
    )
