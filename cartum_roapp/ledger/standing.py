"""Where each order of a shop stands: what a reconciliation compares with the shop and with RO App."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection, text

from cartum_roapp.ledger.orders import NOT_WITHDRAWN
from cartum_roapp.ledger.scope import IN_SCOPE, Scope


@dataclass(frozen=True)
class Standing:
    """One order of the ledger. `state`: delivered, waiting, held, or `lost` without a row in the outbox.

    `total` is what RO App's has to be: the sum of its lines less the order's discount, and the delivery where that is a
    line (`delivery_line`): where RO App has that line, and before a delivery by the shop's settings. `settled`: no sync
    reads it again. `held_because`: the code of the held record, `dismissed`: a person left it as it is; `lines_held`: a
    person is asked about its lines or its total. `lines_known`: it is known which of RO App's lines are the shop's; a
    restored ledger does not know it. `staff_total`: what RO App's total has beside the shop's, as a reconciliation has
    reported it. `roapp_number`: the number that people see in RO App, "" if it is not known. `erased`: its buyer's data
    was erased, so no notes are written. Times UTC.
    """

    number: str
    created_at: datetime
    version: int
    hash: str
    gone: bool
    settled: bool
    total: Decimal
    state: str
    ro_id: int | None
    held_because: str | None
    dismissed: bool
    lines_known: bool
    lines_held: bool
    staff_total: Decimal = Decimal(0)
    currency: str = ""
    delivery_line: bool = False
    roapp_number: str = ""
    erased: bool = False


def read(
    connection: Connection,
    shop: str,
    *,
    final_statuses: Iterable[int],
    open_for: timedelta,
    final_for: timedelta,
    delivery_line: bool,
    scope: Scope,
    numbers: Collection[str] = (),
) -> list[Standing]:
    """The orders of the scope, and those of `numbers` that the ledger has; oldest first. Not the withdrawn ones
    (`ledger.backfills`). `delivery_line`: the settings make the delivery a line; orders that were delivered before that
    changed follow with their next delivery."""
    rows = connection.execute(
        text(_STANDING.format(chosen=IN_SCOPE if scope.ranges else "false", not_withdrawn=NOT_WITHDRAWN)),
        {
            "shop": shop,
            "final": sorted(final_statuses),
            "open_for": open_for,
            "final_for": final_for,
            "delivery_line": delivery_line,
            "numbers": sorted(numbers),
            **scope.parameters,
        },
    )
    return [Standing(**row._mapping) for row in rows]


def oldest(connection: Connection, shop: str) -> datetime | None:
    """When the oldest order of the shop was created (UTC)."""
    found: datetime | None = connection.scalar(
        text(f"SELECT min(created_at) FROM orders WHERE shop = :shop AND {NOT_WITHDRAWN}"), {"shop": shop}
    )
    return found


def linked(connection: Connection, shop: str, scope: Scope) -> dict[int, datetime]:
    """RO App's ids of the scope's orders, and when each was created in the shop (UTC), the newest first: of old ones
    RO App may lack many."""
    query = text(
        "SELECT ro_id, created_at FROM orders JOIN order_matches USING (shop, number) "
        f"WHERE shop = :shop AND {IN_SCOPE} AND {NOT_WITHDRAWN} "
        "ORDER BY orders.created_at DESC, ro_id"
    )
    rows = connection.execute(query, {"shop": shop, **scope.parameters})
    return {row.ro_id: row.created_at for row in rows}


def note_staff_totals(connection: Connection, shop: str, totals: Mapping[str, Decimal]) -> None:
    """Stores number → what RO App's total has beside the shop's, as it was reported. Writes nothing where nothing
    changed."""
    for number, total in totals.items():
        connection.execute(
            text(
                "UPDATE order_matches SET staff_total = :total "
                "WHERE shop = :shop AND number = :number AND staff_total <> :total"
            ),
            {"shop": shop, "number": number, "total": total},
        )


_STANDING = """
    WITH asked AS (
        SELECT * FROM orders WHERE shop = :shop AND (number = ANY(:numbers) OR {chosen}) AND {not_withdrawn}
    ), sums AS (
        SELECT number, sum(price * quantity) AS total FROM order_lines
        WHERE shop = :shop AND number IN (SELECT number FROM asked) GROUP BY number
    ), asked_about AS (
        SELECT DISTINCT split_part(id, '/', 1) AS number FROM held WHERE shop = :shop AND entity IN ('line', 'total')
    )
    SELECT asked.number, asked.created_at, asked.version, asked.hash, asked.gone_at IS NOT NULL AS gone,
           NOT coalesce(asked.status_id <> ALL(:final) AND asked.created_at > now() - :open_for
                        OR asked.final_since > now() - :final_for, false) AS settled,
           round(coalesce(sums.total, 0) - asked.discount, 2)
               + round(CASE WHEN as_line.it_is THEN coalesce(asked.delivery_price, 0) ELSE 0 END, 2) AS total,
           as_line.it_is AS delivery_line,
           CASE WHEN outbox.number IS NULL THEN 'lost' WHEN outbox.held THEN 'held'
                WHEN outbox.wanted_version > outbox.delivered_version THEN 'waiting' ELSE 'delivered' END AS state,
           order_matches.ro_id, held.code AS held_because,
           held.dismissed_at IS NOT NULL AS dismissed, order_matches.goods IS NOT NULL AS lines_known,
           asked_about.number IS NOT NULL AS lines_held, asked.currency,
           round(coalesce(order_matches.staff_total, 0), 2) AS staff_total,
           coalesce(order_matches.roapp_number, '') AS roapp_number, asked.erased_at IS NOT NULL AS erased
    FROM asked
    LEFT JOIN sums USING (number)
    LEFT JOIN asked_about USING (number)
    LEFT JOIN outbox ON outbox.shop = :shop AND outbox.number = asked.number
    CROSS JOIN LATERAL (SELECT CASE WHEN outbox.wanted_version = outbox.delivered_version THEN EXISTS (
        SELECT FROM agreed_lines sent
        WHERE (sent.shop, sent.number, product) = (:shop, asked.number, 'service:delivery') AND quantity > 0)
        ELSE :delivery_line END AS it_is) as_line
    LEFT JOIN order_matches ON order_matches.shop = :shop AND order_matches.number = asked.number
    LEFT JOIN held ON held.shop = :shop AND held.entity = 'order' AND held.id = asked.number
    ORDER BY asked.created_at, asked.number
"""
