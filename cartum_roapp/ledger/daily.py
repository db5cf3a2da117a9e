"""What happened to a shop's orders, day by day."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, text

from cartum_roapp.ledger import database
from cartum_roapp.ledger.orders import NOT_WITHDRAWN

if TYPE_CHECKING:
    import pandas as pd

DAYS = 30


def figures(engine: Engine, shop: str, zone: ZoneInfo, today: date, days: int = DAYS) -> pd.DataFrame:
    """Returns one row for each of the `days` up to `today` on the shop's clock, indexed by the day (`date`).

    `delivered`, `waiting`, `held` (int64): the state of the orders that were placed on that day and are not withdrawn.
    `lag_p50`, `lag_p95` (float64, seconds, NaN where there is none): how long after it was placed an order was in RO
    App, of those placed after the import's window. `calls` (int64): to both systems.
    """
    import pandas as pd  # slow to import, and most commands never need it

    index = pd.Index([today - timedelta(days=back) for back in reversed(range(days))], name="day")
    since = datetime.combine(index[0], time.min, zone)
    with database.reading(engine) as connection:
        orders = pd.DataFrame(
            connection.execute(text(_ORDERS), {"shop": shop, "since": since}), columns=["at", "stands", "lag"]
        )
        calls = pd.DataFrame(connection.execute(text(_CALLS), {"shop": shop, "since": since}), columns=["at", "calls"])
    for frame in (orders, calls):
        frame["day"] = pd.to_datetime(frame["at"], utc=True).dt.tz_convert(zone).dt.date
    stands = orders.groupby(["day", "stands"]).size().unstack(fill_value=0)
    lag = orders.assign(lag=orders["lag"].astype("float64")).groupby("day")["lag"]
    found = pd.DataFrame(index=index)
    for name in ("delivered", "waiting", "held"):
        found[name] = stands.get(name, 0)
    found["lag_p50"], found["lag_p95"] = lag.quantile(0.5), lag.quantile(0.95)
    found["calls"] = calls.groupby("day")["calls"].sum()
    counts = ["delivered", "waiting", "held", "calls"]
    found[counts] = found[counts].fillna(0).astype("int64")
    return found


_ORDERS = f"""
    SELECT orders.created_at,
           CASE WHEN outbox.held THEN 'held' WHEN outbox.wanted_version > outbox.delivered_version THEN 'waiting'
                ELSE 'delivered' END,
           CASE WHEN orders.created_at > shops.window_to AND NOT EXISTS (
                    SELECT FROM order_events event WHERE (event.shop, event.number) = (orders.shop, orders.number)
                    AND event.kind = 'adopted')
                THEN extract(epoch FROM order_matches.bound_at - orders.created_at) END
    FROM orders JOIN shops ON shops.key = orders.shop JOIN outbox USING (shop, number)
    LEFT JOIN order_matches USING (shop, number)
    WHERE orders.shop = :shop AND orders.created_at >= :since AND {NOT_WITHDRAWN}
"""
_CALLS = """
    SELECT started_at, (counts->>'calls')::int FROM runs
    WHERE shop = :shop AND started_at >= :since AND counts ? 'calls'
"""
