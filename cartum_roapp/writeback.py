"""Writes statuses that staff set in RO App back into the shop, if the shop's `status_direction` is `both`.

    note_staff_statuses   notes in the ledger which orders staff moved in RO App
    set_shop_statuses     sets their statuses in the shop

Both may be called twice, and be killed: a status is set, not added. Where both sides changed, the shop's change wins.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine

from cartum_roapp.apis.cartum import Cartum
from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.config import ShopConfig
from cartum_roapp.errors import BadRecord, Code, Retryable
from cartum_roapp.ledger import database, held, shop_statuses, shop_writes, shops, staff_statuses
from cartum_roapp.ledger.staff_statuses import Agreed
from cartum_roapp.links import order_name
from cartum_roapp.orders.rows import status_of

_OVERLAP = timedelta(minutes=10)
_LONG = timedelta(minutes=5)
# RO App's clock may be ahead of ours by an hour or two; later stamps are wrong.
_CLOCKS = timedelta(hours=2)
_TRIES = 3


def shop_status(shop: ShopConfig, roapp_status: int, listed: Collection[str] = ()) -> int | None:
    """Returns the shop's status for this one of RO App: the lowest of those that are matched with it and that the shop
    still lists, otherwise the lowest; None if there is none."""
    alike = [ours for ours, theirs in shop.statuses.items() if theirs == roapp_status]
    return min([one for one in alike if str(one) in listed] or alike, default=None)


async def note_staff_statuses(engine: Engine, shop: ShopConfig, roapp: RoApp, started: datetime) -> None:
    """Notes in the ledger which statuses staff changed in RO App since the last call.

    Orders that were delivered since the run `started` (UTC) are left to the next call, as RO App may show the delivered
    status a little after its answer. The first call reads all orders; of those that were delivered while statuses
    travelled one way, it takes RO App's status as agreed. If RO App ignores `modified_at[]` (roapp §2), every call
    reads all orders. Raises what RoApp raises; the next call then begins at the same time."""
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
        # What changed during the walk may be on a page that was read before; and a stamp may be ahead of the others.
        until = min(newest - lasted if lasted > _LONG else newest, started)
        with engine.begin() as connection:
            shops.mark_statuses_read(connection, shop.key, until)


def _note(connection: Connection, shop: ShopConfig, known: Agreed, theirs: int) -> None:
    if theirs == (known.roapp_status if known.staff_status is None else known.staff_status):
        return
    as_it_was = known.roapp_status in (None, theirs) or shop.statuses.get(known.shop_status) == theirs
    if as_it_was or shop_status(shop, theirs) is None:  # None: a status of the workshop that no status of the shop has
        staff_statuses.note(connection, shop.key, known, roapp_status=theirs, staff_status=None)
    else:
        staff_statuses.note(connection, shop.key, known, roapp_status=known.roapp_status, staff_status=theirs)


async def set_shop_statuses(engine: Engine, shop: ShopConfig, api: Cartum, retry_after: timedelta) -> list[str]:
    """Sets the noted statuses in the shop. Returns the numbers of the orders whose status in the shop now follows RO
    App's. A status that the shop does not take is held and tried again after `retry_after`, then at growing intervals.
    To be called while no other run reads this shop. Raises what Cartum's reads raise; the other statuses then wait."""
    with database.reading(engine) as connection:
        waiting = staff_statuses.waiting(connection, shop.key, retry_after)
    return [one.number for one in waiting if await _set_shop_status(engine, shop, api, one)]


async def _set_shop_status(engine: Engine, shop: ShopConfig, api: Cartum, one: Agreed) -> bool:
    assert one.staff_status is not None
    with database.reading(engine) as connection:
        listed = shop_statuses.names(connection, shop.key)
    ours = shop_status(shop, one.staff_status, listed) if one.restore_status is None else one.restore_status
    wanted = one.shop_status if ours is None else ours  # it is not matched any more
    with engine.begin() as connection:
        if not staff_statuses.write(connection, shop.key, one, wanted):
            return False
    tried = await _set(engine, shop.key, api, one, wanted)
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
    """The `status` that the shop has in the end, and `why` it is not the wanted one. `unanswered`: the wanted one may
    still arrive."""

    status: int | None
    why: str = "it said that it has the new status, and kept the old one"
    unanswered: bool = False


async def _set(engine: Engine, shop: str, api: Cartum, one: Agreed, wanted: int) -> _Tried:
    """Sets the status with up to three tries. Reads the order right before each: if its status changed in the shop
    meanwhile, the shop's change wins. A try is noted before it is sent, until it is answered or its status is met in
    the shop: it may arrive late, and is then known for ours."""
    tried, answered = _Tried(None), False
    for _ in range(_TRIES):
        tried.status = await _status(api, one.number)
        if tried.status != one.shop_status or tried.status == wanted:
            break
        with engine.begin() as connection:
            shop_writes.begin(connection, shop, one.number, wanted)
        refused = False
        try:
            await api.set_status(one.number, wanted)
        except BadRecord as error:
            tried.why, refused = error.message, True
        except Retryable as error:
            tried.why, tried.unanswered = error.message, True
            continue
        answered = True
        with engine.begin() as connection:
            shop_writes.settle(connection, shop, one.number, wanted)
        if refused:
            tried.status = await _status(api, one.number)
            break
    else:
        tried.status = await _status(api, one.number)
    if tried.status == wanted and not answered:
        with engine.begin() as connection:
            shop_writes.settle(connection, shop, one.number, wanted)
    return tried


async def _status(api: Cartum, number: str) -> int | None:
    row = (await api.read_orders(numbers=[number])).get(number)
    return None if row is None else status_of(row)


def _not_taken(one: Agreed, why: str) -> BadRecord:
    return BadRecord(
        f"the shop does not take the status that RO App order {order_name(one.ro_id, one.roapp_number)} has: {why}.",
        code=Code.REFUSED_BY_SHOP,
        field="status_id",
        fix="Set one of them by hand, in the shop or in RO App, so that they agree; it is tried again by itself.",
    )
