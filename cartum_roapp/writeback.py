"""Writes statuses that staff set in RO App back into the shop, if the shop's `status_direction` is `both`.

    note_staff_statuses   notes in the ledger which orders staff moved in RO App
    set_shop_statuses     sets their statuses in the shop

Both are idempotent, and may be killed: a status is set, not added. Where both sides changed, the shop's change wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from cartum_roapp.apis.cartum import Cartum
from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.delivery.plan_status import in_shop
from cartum_roapp.errors import BadRecord, Code, Retryable
from cartum_roapp.ledger import database, held, shop_statuses, shops, staff_statuses
from cartum_roapp.ledger.staff_statuses import Shared
from cartum_roapp.links import order_name
from cartum_roapp.orders.rows import status_of
from cartum_roapp.shops import ShopConfig

_OVERLAP = timedelta(minutes=10)
_LONG = timedelta(minutes=5)
# RO App's clock may be ahead of ours by an hour or two; later stamps are wrong.
_CLOCKS = timedelta(hours=2)
_TRIES = 3


async def note_staff_statuses(engine: Engine, shop: ShopConfig, roapp: RoApp, started: datetime) -> None:
    """Notes in the ledger which statuses staff changed in RO App since the last call.

    Orders that were delivered since the run `started` (UTC) are left to the next call, as RO App may show the delivered
    status a little after its answer. The first call reads all orders; of those that were delivered while statuses
    travelled one way, it takes RO App's status as agreed. If RO App ignores `modified_at[]` (roapp §2), every call
    reads all orders. Raises what RoApp raises; the next call then begins at the same time."""
    read_to = shops.state(engine, shop.key).statuses_read_to
    with database.reading(engine) as connection:
        began, oldest = database.clock(connection), staff_statuses.first_order(connection, shop.key)
    if oldest is None:
        return
    newest, latest = read_to, datetime.now(UTC) + _CLOCKS
    since = oldest - timedelta(days=1) if read_to is None else read_to - _OVERLAP
    async for page in roapp.walk_orders(modified_from=since):
        seen = {row.id: row.status_id for row in page if row.status_id is not None}
        with engine.begin() as connection:
            for known in staff_statuses.shared(connection, shop.key, list(seen), before=min(began, started)):
                staff_statuses.see(connection, shop.key, known, seen[known.ro_id])
        stamps = [row.modified_at for row in page if row.modified_at is not None and row.modified_at <= latest]
        newest = max([*stamps, *([] if newest is None else [newest])], default=None)
    lasted = datetime.now(UTC) - started
    if newest is not None and newest != read_to:
        # What changed during the walk may be on a page that was read before; and a stamp may be ahead of the others.
        until = min(newest - lasted if lasted > _LONG else newest, started)
        with engine.begin() as connection:
            shops.mark_statuses_read(connection, shop.key, until)


async def set_shop_statuses(engine: Engine, shop: ShopConfig, api: Cartum, retry_after: timedelta) -> list[str]:
    """Sets the noted statuses in the shop. Returns the numbers of the orders whose status in the shop now follows RO
    App's. A status that the shop does not take is held and tried again after `retry_after`, then at growing intervals.
    To be called while no other run reads this shop. Raises what Cartum's reads raise; the other statuses then wait."""
    with database.reading(engine) as connection:
        waiting = staff_statuses.waiting(connection, shop.key, retry_after)
    return [one.number for one in waiting if await _set_shop_status(engine, shop, api, one)]


async def _set_shop_status(engine: Engine, shop: ShopConfig, api: Cartum, one: Shared) -> bool:
    with database.reading(engine) as connection:
        listed = shop_statuses.names(connection, shop.key)
    target = in_shop(one.agreed, one.theirs, shop.statuses, listed)
    assert target is not None
    met = [one.shop_status] if one.came_from_us else []
    if target == one.shop_status:
        if met:
            with engine.begin() as connection:
                staff_statuses.end(connection, shop.key, one.number, met)
                staff_statuses.settle(connection, shop.key, one, target)
        return False
    tried = await _set(engine, shop.key, api, one, target)
    with engine.begin() as connection:
        if tried.status == target:
            staff_statuses.end(connection, shop.key, one.number, [*met, *tried.ended])
            staff_statuses.settle(connection, shop.key, one, target)
            return True
        staff_statuses.end(connection, shop.key, one.number, tried.ended)
        if tried.status == one.shop_status:
            held.hold(connection, shop=shop.key, entity="status", id=one.number, error=_not_taken(one, tried.why))
    return False


@dataclass
class _Tried:
    """The `status` that the shop has in the end, and `why` it is not the target one. `ended`: the status of each try
    that can't arrive any more."""

    status: int | None
    ended: list[int]
    why: str = "it said that it has the new status, and kept the old one"


async def _set(engine: Engine, shop: str, api: Cartum, one: Shared, target: int) -> _Tried:
    """Sets the status with up to three tries. Reads the order right before each: if its status changed in the shop
    meanwhile, the shop's change wins. A try is noted before it is sent, until it is answered or its status is met in
    the shop: it may arrive late, and is then known for ours."""
    tried, is_refused = _Tried(None, []), False
    for _ in range(_TRIES):
        tried.status = await _status(api, one.number)
        if tried.status != one.shop_status or is_refused:
            break
        with engine.begin() as connection:
            if not staff_statuses.begin(connection, shop, one, target):
                return _Tried(None, tried.ended)
        try:
            await api.set_status(one.number, target)
        except BadRecord as error:
            tried.why, is_refused = error.message, True
        except Retryable as error:
            tried.why = error.message
            continue
        tried.ended.append(target)
    else:
        tried.status = await _status(api, one.number)
    if tried.status == target and not tried.ended:
        tried.ended.append(target)
    return tried


async def _status(api: Cartum, number: str) -> int | None:
    row = (await api.read_orders(numbers=[number])).get(number)
    return None if row is None else status_of(row)


def _not_taken(one: Shared, why: str) -> BadRecord:
    return BadRecord(
        f"the shop does not take the status that RO App order {order_name(one.ro_id, one.roapp_number)} has: {why}.",
        code=Code.REFUSED_BY_SHOP,
        field="status_id",
        fix="Set one of them by hand, in the shop or in RO App, so that they agree; it is then retried automatically.",
    )
