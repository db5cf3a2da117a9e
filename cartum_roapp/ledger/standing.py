"""Where each order of a shop stands: what a reconciliation compares with the shop and with RO App."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class Standing:
    """One order of the ledger. `state`: delivered, waiting, held, or `lost` without a row in the outbox.

    `total` is the sum of its lines, `rounded` the same at prices of two decimals, as RO App keeps them (roapp §2).
    `settled`: no sync reads it again by itself. `all_sent`: the lines known to be in RO App are those of the order.
    `held_because`: the code of the held record, `dismissed`: a person left it as it is; `lines_held`: a person is asked
    about one of its lines. Times UTC.
    """

    number: str
    created_at: datetime
    version: int
    hash: str
    gone: bool
    settled: bool
    total: Decimal
    rounded: Decimal
    state: str
    ro_id: int | None
    held_because: str | None
    dismissed: bool
    all_sent: bool
    lines_held: bool


def read(
    connection: Connection,
    shop: str,
    *,
    final_statuses: Iterable[int],
    final_for: timedelta,
    numbers: Collection[str] | None = None,
) -> list[Standing]:
    """All orders of the shop, or those of `numbers` that the ledger has; oldest first."""
    rows = connection.execute(
        text(_STANDING),
        {
            "shop": shop,
            "final": sorted(final_statuses),
            "final_for": final_for,
            "all": numbers is None,
            "numbers": sorted(numbers or ()),
        },
    )
    return [Standing(**row._mapping) for row in rows]


def alive(connection: Connection, shop: str) -> set[str]:
    """Numbers that the ledger believes to be in the shop still."""
    rows = connection.execute(text("SELECT number FROM orders WHERE shop = :shop AND gone_at IS NULL"), {"shop": shop})
    return {row.number for row in rows}


def oldest(connection: Connection, shop: str) -> datetime | None:
    """When the oldest order of the shop was created (UTC)."""
    found: datetime | None = connection.scalar(
        text("SELECT min(created_at) FROM orders WHERE shop = :shop"), {"shop": shop}
    )
    return found


_STANDING = """
    WITH asked AS (
        SELECT * FROM orders WHERE shop = :shop AND (:all OR number = ANY(:numbers))
    ), sums AS (
        SELECT number, sum(price * quantity) AS total, sum(round(price, 2) * quantity) AS rounded
        FROM order_lines WHERE shop = :shop GROUP BY number
    ), unsent AS (
        SELECT DISTINCT number
        FROM (SELECT * FROM order_lines WHERE shop = :shop) line
        FULL JOIN (SELECT * FROM line_matches WHERE shop = :shop) sent USING (number, product, price)
        WHERE coalesce(line.quantity, 0) <> coalesce(sent.quantity, 0)
    ), asked_about AS (
        SELECT DISTINCT split_part(id, '/', 1) AS number FROM held WHERE shop = :shop AND entity = 'line'
    )
    SELECT asked.number, asked.created_at, asked.version, asked.hash, asked.gone_at IS NOT NULL AS gone,
           NOT coalesce(asked.status_id <> ALL(:final) OR asked.final_since > now() - :final_for, false) AS settled,
           coalesce(sums.total, 0) AS total, coalesce(sums.rounded, 0) AS rounded,
           CASE WHEN outbox.number IS NULL THEN 'lost' WHEN outbox.held THEN 'held'
                WHEN outbox.wanted_version > outbox.delivered_version THEN 'waiting' ELSE 'delivered' END AS state,
           order_matches.ro_id, held.code AS held_because,
           held.dismissed_at IS NOT NULL AS dismissed, unsent.number IS NULL AS all_sent,
           asked_about.number IS NOT NULL AS lines_held
    FROM asked
    LEFT JOIN sums USING (number)
    LEFT JOIN unsent USING (number)
    LEFT JOIN asked_about USING (number)
    LEFT JOIN outbox ON outbox.shop = :shop AND outbox.number = asked.number
    LEFT JOIN order_matches ON order_matches.shop = :shop AND order_matches.number = asked.number
    LEFT JOIN held ON held.shop = :shop AND held.entity = 'order' AND held.id = asked.number
    ORDER BY asked.created_at, asked.number
"""
