"""Held records go back into delivery: automatically when the cause may be gone, or because a person says so.

`:pause` is the shortest time between two tries."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

import orjson
from sqlalchemy import Connection, Engine, text

from cartum_roapp.errors import Code
from cartum_roapp.ledger import agreed, catalogue, held, orders, shop_statuses
from cartum_roapp.ledger.held import Held

_FIXED_BY_STAFF = (
    Code.PRODUCT_MISSING,
    Code.PRODUCT_AMBIGUOUS,
    Code.PRODUCT_NOT_IDENTIFIABLE,
    Code.CONTACT_AMBIGUOUS,
    Code.DOUBLED,
    Code.MARKER_ELSEWHERE,
)
_PARTS = ("status", "line", "total")
# After one, two, four … pauses: each try of a refused call costs a writing call.
_BACKOFF = ":pause * power(2, least(attempts, 16) - 1)"
#: A condition on rows of `held` that are to be tried again by now. It needs the parameter `:pause` (an interval), and
#: its columns are unqualified: no other table that is visible there may have `last_at`, `attempts` or `dismissed_at`.
RETRY_DUE = f"last_at < now() - least({_BACKOFF}, greatest(:pause, interval '4 hours')) AND dismissed_at IS NULL"

_DUE_ORDERS = f"""
    UPDATE outbox SET held = false, available_at = now() FROM (
        SELECT id FROM held WHERE shop = :shop AND entity = 'order' AND code <> :deleted AND (
            (code = ANY(:fixed) AND last_at < now() - :pause AND dismissed_at IS NULL) OR ({RETRY_DUE}))
    ) due WHERE outbox.shop = :shop AND outbox.number = due.id AND outbox.held
"""
_REMATCHED = """
    SELECT number FROM order_matches match JOIN orders USING (shop, number) JOIN outbox USING (shop, number)
    JOIN jsonb_each(CAST(:statuses AS jsonb)) matched ON matched.key = orders.status_id::text
    WHERE shop = :shop AND match.fields #> '{status_id,0}' = to_jsonb(orders.status_id)
      AND match.fields #> '{status_id,1}' <> matched.value AND orders.final_since IS NULL AND orders.gone_at IS NULL
      AND NOT outbox.held AND delivered_version >= wanted_version
      AND NOT EXISTS (SELECT FROM held WHERE held.shop = :shop AND entity = 'status' AND held.id = number)
"""
_DUE_PARTS = f"""
    SELECT DISTINCT number FROM (
        SELECT split_part(id, '/', 1) AS number FROM held WHERE shop = :shop AND {RETRY_DUE}
        AND (entity = 'status' AND code <> ALL(:others) OR entity = 'line' AND code = :stuck OR entity = 'total')
    ) due JOIN outbox USING (number)
    WHERE outbox.shop = :shop AND NOT outbox.held AND delivered_version >= wanted_version
"""
_UNANSWERED_ORDERS = f"""
    UPDATE outbox SET held = false, available_at = now() WHERE account = :account AND outbox.held
    AND (shop, number) IN (SELECT shop, id FROM held WHERE entity = 'order' AND code = :code AND {RETRY_DUE})
"""
_UNANSWERED_PARTS = f"""
    SELECT shop, number FROM outbox WHERE account = :account AND NOT outbox.held AND delivered_version >= wanted_version
    AND (shop, number) IN (SELECT shop, split_part(id, '/', 1) FROM held WHERE entity <> 'order' AND code = :code
                           AND {RETRY_DUE})
"""


def release_held(engine: Engine, shop: str, statuses: Mapping[int, int], pause: timedelta) -> None:
    """Queues everything of the shop that may go through by now: all that the next three functions queue. `statuses`:
    those of the shop, with those of RO App that it matches them with."""
    release_mapped_statuses(engine, shop, statuses)
    release_rematched_statuses(engine, shop, statuses)
    release_due(engine, shop, pause)


def release_mapped_statuses(engine: Engine, shop: str, statuses: Mapping[int, int]) -> list[str]:
    """Queues orders whose status was held as unmatched, if the shop matches it by now. Returns their numbers. May be
    called twice."""
    waiting = [one.id for one in held.listed(engine, shop, entity="status", codes=(Code.STATUS_UNMATCHED,))]
    if not waiting:
        return []
    with engine.begin() as connection:
        found = connection.scalars(
            text("SELECT number FROM orders WHERE shop = :shop AND number = ANY(:numbers) AND status_id = ANY(:known)"),
            {"shop": shop, "numbers": waiting, "known": sorted(statuses)},
        )
        numbers = list(found)
        held.clear(connection, shop, "status", numbers, because="the status is matched now")
        orders.requeue(connection, shop, numbers)
    return numbers


def release_rematched_statuses(engine: Engine, shop: str, statuses: Mapping[int, int]) -> None:
    """Queues the open orders whose status the shop matches with another one of RO App than when it was sent, so that
    they take it, except those that staff have moved on (`delivery.plan_status`). Idempotent."""
    with engine.begin() as connection:
        shop_statuses.note_matched(connection, shop, statuses)
        values = {"shop": shop, "statuses": orjson.dumps(statuses, option=orjson.OPT_NON_STR_KEYS).decode()}
        numbers = list(connection.scalars(text(_REMATCHED), values))
        because = "its status is matched with another one of RO App"
        orders.requeue(connection, shop, numbers, because)


def release_due(engine: Engine, shop: str, pause: timedelta) -> None:
    """Queues held records that were last tried longer ago than `pause`: RO App may answer differently by now. May be
    called twice.

    These are orders; statuses, except those held as `status-unmatched` or `refused-by-shop`; lines held as
    `line-not-removable`; and totals. Orders whose cause staff remove in RO App are tried at every `pause`; the others
    after one, two, four … pauses, at most four hours (or one pause, if that is longer). An order that was deleted there
    stays held, and so does what a person dismissed.
    """
    values = {
        "shop": shop,
        "pause": pause,
        "fixed": list(_FIXED_BY_STAFF),
        "deleted": Code.DELETED_IN_ROAPP,
        "stuck": Code.LINE_NOT_REMOVABLE,
        "others": [Code.STATUS_UNMATCHED, Code.REFUSED_BY_SHOP],
    }
    with engine.begin() as connection:
        connection.execute(text(_DUE_ORDERS), values)
        numbers = list(connection.scalars(text(_DUE_PARTS), values))
        orders.requeue(connection, shop, numbers)


def release_unanswered(connection: Connection, account: str, pause: timedelta) -> None:
    """RO App answers again: queues the account's records that are held because it did not. The number of tries is kept:
    an order that alone is never answered is not tried with every other, but after one, two, four … `pause`s."""
    values = {"account": account, "pause": pause, "code": Code.UNANSWERED}
    connection.execute(text(_UNANSWERED_ORDERS), values)
    for row in connection.execute(text(_UNANSWERED_PARTS), values).all():
        orders.requeue(connection, row.shop, [row.number])


def release_by_hand(
    connection: Connection, account: str, shop: str, records: Sequence[Held], *, make_again: bool
) -> None:
    """Puts what a person chose back into delivery, ahead of history. With `make_again`, orders that RO App no longer
    has are made again: whoever delivers them looks for the old one first. Where products were missing, it is tried once
    more whether RO App takes new ones. Rows, and what the shop refused, are the caller's. Idempotent."""
    numbers = sorted({one.number for one in records if one.number and one.entity in ("order", *_PARTS)})
    _undismiss(connection, shop, records)
    orders.requeue(connection, shop, numbers, because="a person let it be tried again")
    if any(one.code == Code.DOUBLED for one in records):
        _recheck_now(connection, account, shop)
    if any(one.code == Code.PRODUCT_MISSING for one in records):
        catalogue.note_product_writes(connection, account, "unknown")
    if any(one.code in (Code.PRODUCT_MISSING, Code.PRODUCT_AMBIGUOUS) for one in records):
        catalogue.outdate(connection, account)
    if make_again:
        deleted = [one.id for one in records if one.entity == "order" and one.code == Code.DELETED_IN_ROAPP]
        connection.execute(
            text("UPDATE order_matches SET make_again = true WHERE shop = :shop AND number = ANY(:numbers)"),
            {"shop": shop, "numbers": deleted},
        )


def _undismiss(connection: Connection, shop: str, records: Collection[Held]) -> None:
    """Makes dismissed records count as held again."""
    dismissed = [f"{one.entity}:{one.id}" for one in records if one.dismissed_at]
    if dismissed:
        connection.execute(
            text(
                "UPDATE held SET dismissed_at = NULL, dismissed_because = '' "
                "WHERE shop = :shop AND entity || ':' || id = ANY(:records)"
            ),
            {"shop": shop, "records": dismissed},
        )


def _recheck_now(connection: Connection, account: str, shop: str) -> None:
    """Has duplicates looked at now, not `recheck_after` after the last look."""
    connection.execute(
        text(
            "UPDATE creations SET look_until = now() WHERE account = :account AND shop = :shop AND look_until > now()"
        ),
        {"account": account, "shop": shop},
    )
    agreed.look_now(connection, shop)
