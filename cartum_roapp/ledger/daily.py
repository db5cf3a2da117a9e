"""What happened to a shop's orders, day by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, text

from cartum_roapp.ledger import database

DAYS = 30


@dataclass(frozen=True)
class Day:
    """One day on the shop's clock.

    `delivered`, `waiting`, `held`: the state of the orders that were placed on that day and are not withdrawn.
    `lag_p50`, `lag_p95` (seconds, None where there is none): how long after it was placed an order was in RO App, of
    those placed after the import's window. `calls`: to both systems.
    """

    day: date
    delivered: int = 0
    waiting: int = 0
    held: int = 0
    lag_p50: float | None = None
    lag_p95: float | None = None
    calls: int = 0


def figures(engine: Engine, shop: str, zone: ZoneInfo, today: date, days: int = DAYS) -> list[Day]:
    """Returns each of the `days` up to `today` on the shop's clock, the oldest first."""
    dates = [today - timedelta(days=back) for back in reversed(range(days))]
    begins = [datetime.combine(day, time.min, zone) for day in (*dates, today + timedelta(days=1))]
    asked = {"shop": shop, "begins": begins, "since": begins[0], "until": begins[-1]}
    with database.reading(engine) as connection:
        orders = {row.place: row for row in connection.execute(text(_ORDERS), asked)}
        calls = {row.place: int(row.calls) for row in connection.execute(text(_CALLS), asked)}
    found = []
    for place, day in enumerate(dates, start=1):
        if row := orders.get(place):
            p50, p95 = row.lags or (None, None)
            found.append(Day(day, row.delivered, row.waiting, row.held, p50, p95, calls.get(place, 0)))
        else:
            found.append(Day(day, calls=calls.get(place, 0)))
    return found


_ORDERS = """
    SELECT width_bucket(orders.created_at, CAST(:begins AS timestamptz[])) AS place,
           count(*) FILTER (WHERE outbox.held) AS held,
           count(*) FILTER (WHERE NOT outbox.held AND outbox.wanted_version > outbox.delivered_version) AS waiting,
           count(*) FILTER (WHERE NOT outbox.held AND outbox.wanted_version <= outbox.delivered_version) AS delivered,
           percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY
               CASE WHEN orders.created_at > shops.window_to AND NOT EXISTS (
                        SELECT FROM order_events event WHERE (event.shop, event.number) = (orders.shop, orders.number)
                        AND event.kind = 'adopted')
                    THEN extract(epoch FROM order_matches.bound_at - orders.created_at)::float8 END) AS lags
    FROM orders JOIN shops ON shops.key = orders.shop JOIN outbox USING (shop, number)
    LEFT JOIN order_matches USING (shop, number)
    WHERE orders.shop = :shop AND orders.created_at >= :since AND orders.created_at < :until
    AND (outbox.wanted_version, outbox.delivered_version) <> (0, 0)
    GROUP BY place
"""
_CALLS = """
    SELECT width_bucket(started_at, CAST(:begins AS timestamptz[])) AS place, sum((counts->>'calls')::int) AS calls
    FROM runs WHERE shop = :shop AND started_at >= :since AND started_at < :until AND counts ? 'calls'
    GROUP BY place
"""
