"""Statuses that travel both ways: what staff set in RO App and the shop does not have yet, and which of our writes into
the shop may still arrive there.

Runs write here without the account's lock. So each change holds only where the order is as it was read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, Row, text

from cartum_roapp.errors import Code
from cartum_roapp.ledger import agreed, held, journal, shop_statuses, shops
from cartum_roapp.ledger.agreed import Agreed, Field
from cartum_roapp.ledger.journal import Kind
from cartum_roapp.ledger.release import RETRY_DUE

#: How long after it was sent a status may still arrive in the shop.
LATE_FOR = timedelta(minutes=15)


@dataclass(frozen=True)
class Shared:
    """An order of which both sides have agreed on a status. `shop_status` is the shop's as it was read last,
    `staff_status` RO App's where that is not the one of `agreed`. `writes`: statuses that the shop was given and that
    may still arrive, with the moment (UTC) of each try. `is_new`: so far its status travelled one way."""

    number: str
    ro_id: int
    roapp_number: str
    agreed: Agreed
    shop_status: int
    staff_status: int | None
    writes: tuple[tuple[int, datetime], ...]
    stored_at: datetime
    agreed_at: datetime | None

    @property
    def is_new(self) -> bool:
        return self.agreed_at is None

    @property
    def theirs(self) -> int:
        """RO App's status."""
        return self.agreed.shown if self.staff_status is None else self.staff_status  # type: ignore[return-value]

    @property
    def came_from_us(self) -> bool:
        """Whether the shop has this status since a write of ours, or may have it since then."""
        # What staff set since both sides agreed is tried until the shop has it; older tries were for another status.
        since = self.stored_at if self.staff_status is None else min(self.agreed_at or self.stored_at, self.stored_at)
        is_ours = any(status == self.shop_status and sent_at > since - LATE_FOR for status, sent_at in self.writes)
        return is_ours and self.shop_status != self.agreed.shop != _DELETED


_DELETED = -1
_SHARED = """
    SELECT match.number, match.ro_id, match.roapp_number, match.fields -> 'status_id' AS parts, match.staff_status,
           match.shop_writes, match.agreed_at, orders.status_id, orders.stored_at
    FROM order_matches match JOIN orders USING (shop, number)
    WHERE match.shop = :shop AND match.fields #>> '{status_id,0}' IS NOT NULL
"""
# RO App has answered the last change of status: else it may arrive late.
_ANSWERED = "match.fields #> '{status_id,3}' = '[]'"
_WAITING = f"""
    {_SHARED} AND {_ANSWERED} AND orders.gone_at IS NULL
    AND (match.staff_status IS NOT NULL OR match.shop_writes IS NOT NULL) AND NOT EXISTS (
        SELECT FROM held WHERE held.shop = match.shop AND entity = 'status' AND held.id = match.number
        AND code = '{Code.REFUSED_BY_SHOP}' AND NOT ({RETRY_DUE}))
    ORDER BY length(match.number), match.number
"""
# Whoever delivers the order meanwhile knows better.
_STILL = """
    WHERE shop = :shop AND number = :number AND fields -> 'status_id' = CAST(:known AS jsonb)
    AND staff_status IS NOT DISTINCT FROM :staff
"""


def first_order(connection: Connection, shop: str) -> datetime | None:
    """When the oldest order of the shop that RO App has was placed (UTC)."""
    query = text("SELECT min(created_at) FROM orders JOIN order_matches USING (shop, number) WHERE shop = :shop")
    oldest: datetime | None = connection.scalar(query, {"shop": shop})
    return oldest


def shared(connection: Connection, shop: str, ro_ids: Sequence[int], before: datetime) -> list[Shared]:
    """Those of RO App's orders that are this shop's, and whose sides agreed `before` this moment last."""
    query = (
        f"{_SHARED} AND {_ANSWERED} AND match.ro_id = ANY(:ids) "
        "AND (match.agreed_at IS NULL OR match.agreed_at < :before)"
    )
    return _read(connection, query, shop=shop, ids=list(ro_ids), before=before)


def waiting(connection: Connection, shop: str, pause: timedelta) -> list[Shared]:
    """Orders whose status in the shop may have to follow RO App's, oldest number first, except those whose status in
    the shop has yet to reach RO App, because the shop's wins. One that the shop refused is due after one, two, four …
    `pause`s, at most four hours."""
    found = _read(connection, _WAITING, shop=shop, pause=pause)
    return [one for one in found if one.shop_status == one.agreed.shop or one.came_from_us]


def came_from_us(connection: Connection, shop: str, number: str) -> bool:
    """Returns whether what the shop has is no change of its own, but a write of ours."""
    query = f"{_SHARED} AND match.number = :number AND match.shop_writes IS NOT NULL"
    return any(one.came_from_us for one in _read(connection, query, shop=shop, number=number))


def agree(connection: Connection, shop: str, number: str, staff_status: int | None = None) -> None:
    """Both sides agree from now on: what RO App showed before says nothing. `staff_status`: staff have moved on."""
    query = "UPDATE order_matches SET agreed_at = now(), staff_status = :staff WHERE shop = :shop AND number = :number"
    connection.execute(text(query), {"shop": shop, "number": number, "staff": staff_status})


def see(connection: Connection, shop: str, known: Shared, theirs: int) -> None:
    """Notes what RO App was seen to have. Of an order whose status went one way so far, it is taken as agreed. Nothing
    is noted where `known` is outdated. What is held because the shop refused an earlier status is released. May be
    called twice."""
    if known.is_new:
        shown = Agreed(known.agreed.shop, known.agreed.sent, theirs)
        _change(connection, shop, known, shown, staff_status=None)
    elif theirs != known.theirs:
        staffs = None if theirs == known.agreed.shown else theirs
        sets = "staff_status = :theirs"
        why = held.code(connection, shop, "status", known.number)
        if _still(connection, shop, known, sets, theirs=staffs) and why == Code.REFUSED_BY_SHOP:
            held.clear(connection, shop, "status", [known.number])


def begin(connection: Connection, shop: str, known: Shared, status: int) -> bool:
    """The shop is given this status now: until `end`, what is read there may be our own. So the order is read with the
    next sync, however old it is. False where `known` is outdated."""
    tries = [*_tries(connection, shop, known.number, LATE_FOR), (status, datetime.now(UTC))]
    if not _still(connection, shop, known, "shop_writes = CAST(:tries AS jsonb)", tries=_dumped(tries)):
        return False
    query = "UPDATE orders SET final_since = now() WHERE shop = :shop AND number = :number AND final_since IS NOT NULL"
    connection.execute(text(query), {"shop": shop, "number": known.number})
    return True


def end(connection: Connection, shop: str, number: str, ended: Iterable[int]) -> None:
    """These tries, named by their statuses, can no longer arrive: they were answered, or were seen in the shop."""
    before = _tries(connection, shop, number)
    tries = list(before)
    for status in ended:
        first = next((one for one in tries if one[0] == status), None)
        tries = [one for one in tries if one is not first]
    if tries != before:
        query = "UPDATE order_matches SET shop_writes = CAST(:tries AS jsonb) WHERE shop = :shop AND number = :number"
        connection.execute(text(query), {"shop": shop, "number": number, "tries": _dumped(tries)})


def settle(connection: Connection, shop: str, known: Shared, status: int) -> None:
    """The shop has `status` now, as it is to have; nothing is noted where `known` is outdated."""
    theirs, after = known.theirs, known.agreed
    if status != after.shop:
        after = Agreed.on(status, theirs)
    if not _change(connection, shop, known, after, staff_status=None if theirs == after.shown else theirs):
        return
    held.clear(connection, shop, "status", [known.number])
    if status == known.shop_status:
        return
    connection.execute(
        text("UPDATE orders SET status_id = :status, final_since = now() WHERE shop = :shop AND number = :number"),
        {"shop": shop, "number": known.number, "status": status},
    )
    name = shop_statuses.name(connection, shop, status)
    journal.note(connection, shop, known.number, Kind.WRITTEN_BACK, status=name)


def forget(connection: Connection, shop: str) -> None:
    """The shop's statuses travel one way from now on: RO App's are staff's own again. Writes nothing where
    nothing was noted."""
    query = """
        UPDATE order_matches SET agreed_at = NULL, staff_status = NULL, shop_writes = NULL
        WHERE shop = :shop AND agreed_at IS NOT NULL
    """
    connection.execute(text(query), {"shop": shop})
    connection.execute(
        text("DELETE FROM held WHERE shop = :shop AND entity = 'status' AND code = :code"),
        {"shop": shop, "code": Code.REFUSED_BY_SHOP},
    )
    shops.mark_statuses_read(connection, shop, None)


def _change(connection: Connection, shop: str, known: Shared, after: Agreed, *, staff_status: int | None) -> bool:
    """Both sides agree on `after`. False where `known` is outdated."""
    sets = "fields = fields || CAST(:after AS jsonb), staff_status = :theirs, agreed_at = now()"
    values = orjson.dumps({str(Field.STATUS): agreed.parts(after)}).decode()
    return _still(connection, shop, known, sets, after=values, theirs=staff_status)


def _still(connection: Connection, shop: str, known: Shared, sets: str, **values: object) -> bool:
    parts = orjson.dumps(agreed.parts(known.agreed)).decode()
    still = {"shop": shop, "number": known.number, "known": parts, "staff": known.staff_status}
    return connection.execute(text(f"UPDATE order_matches SET {sets} {_STILL}"), {**still, **values}).rowcount > 0


def _tries(
    connection: Connection, shop: str, number: str, late_for: timedelta | None = None
) -> list[tuple[int, datetime]]:
    """Returns the tries that may still arrive, those of the last `late_for`, and locks them."""
    query = "SELECT shop_writes FROM order_matches WHERE shop = :shop AND number = :number FOR UPDATE"
    tries = _loaded(connection.scalar(text(query), {"shop": shop, "number": number}))
    since = None if late_for is None else datetime.now(UTC) - late_for
    return [one for one in tries if since is None or one[1] > since]


def _loaded(tries: list[Any] | None) -> list[tuple[int, datetime]]:
    return [(status, datetime.fromisoformat(sent_at)) for status, sent_at in tries or ()]


def _dumped(tries: Sequence[tuple[int, datetime]]) -> str | None:
    return orjson.dumps(tries).decode() if tries else None


def _read(connection: Connection, query: str, **values: object) -> list[Shared]:
    return [_shared(row) for row in connection.execute(text(query), values)]


def _shared(row: Row[Any]) -> Shared:
    return Shared(
        row.number, row.ro_id, row.roapp_number, agreed.value_of(Field.STATUS, *row.parts), row.status_id,
        row.staff_status, tuple(_loaded(row.shop_writes)), row.stored_at, row.agreed_at,
    )  # fmt: skip
