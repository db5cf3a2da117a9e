"""How often a shop was refused in a row, and when it is tried again, from its runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, text

from cartum_roapp.ledger import database

#: Doubled with each refusal in a row, the wait becomes at most this many times as long as the first one.
LONGEST = 15
#: A refused password is tried after this many times the first wait: more tries might lock the user out.
OF_A_PASSWORD = 60
#: However long the first wait is: refusals are counted for two days.
LONGEST_WAIT = timedelta(hours=12)
#: From this many refusals in a row an alert goes out.
ALERT_AT = 3


@dataclass(frozen=True)
class Refusal:
    """The last one of a shop, and how many there are in a row (`times`). `field`: of the settings. Times are UTC."""

    because: str
    field: str
    times: int
    at: datetime

    def again_at(self, first: float) -> datetime:
        """Returns when the schedule tries again. `first`: seconds after the first refusal."""
        times = OF_A_PASSWORD if self.field == "password" else min(LONGEST, 2 ** min(self.times - 1, LONGEST))
        return self.at + min(timedelta(seconds=first * times), LONGEST_WAIT)

    def sentence(self, first: float) -> str:
        """Returns why, and when it is tried again."""
        return f"{self.because.rstrip('.')}; tried again at {self.again_at(first):%H:%M} UTC"


def of_all(connection: Connection) -> dict[str, Refusal]:
    """Returns the refusals of all shops that were refused and had no success since, by the shop's key."""
    found = connection.execute(text(_REFUSALS))
    return {row.shop: Refusal(row.because, row.field, row.times, row.at) for row in found}


def of_shop(engine: Engine, key: str) -> Refusal | None:
    """Returns the shop's refusals in a row; None after a success."""
    with database.reading(engine) as connection:
        return of_all(connection).get(key)


def put_off(engine: Engine, first: float) -> set[str]:
    """Returns the keys of the shops that are not to be tried yet."""
    now = datetime.now(UTC)
    with database.reading(engine) as connection:
        return {key for key, refusal in of_all(connection).items() if now < refusal.again_at(first)}


def forget(engine: Engine, key: str) -> None:
    """What was refused has been corrected: the next sync tries at once. Idempotent."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE runs SET counts = counts - 'refused' WHERE shop = :shop"), {"shop": key})


# For each shop by ix_runs_shop_started_at. Of two days there are more refusals than any wait counts. A clock that was
# ahead left times of the future: they count when they have come.
_REFUSALS = """
    SELECT shops.key AS shop, count(*) AS times, max(refused.finished_at) AS at,
           (array_agg(refused.error ORDER BY refused.finished_at DESC))[1] AS because,
           (array_agg(refused.counts->>'refused' ORDER BY refused.finished_at DESC))[1] AS field
    FROM shops
    LEFT JOIN LATERAL (
        SELECT max(finished_at) AS at,
               max(finished_at) FILTER (WHERE (counts->'calls_by_kind'->>'cartum')::int > 0) AS of_shop FROM runs
        WHERE runs.shop = shops.key AND started_at > now() - interval '2 days' AND finished_at <= now()
          AND state = 'completed' AND (counts->>'calls')::int > 0
    ) success ON true
    CROSS JOIN LATERAL (
        SELECT finished_at, error, counts FROM runs
        WHERE runs.shop = shops.key AND started_at > now() - interval '2 days' AND finished_at <= now()
          AND state = 'failed' AND counts->>'refused' IS NOT NULL
          AND finished_at > coalesce(
              CASE counts->>'refused' WHEN 'password' THEN success.of_shop ELSE success.at END, '-infinity'
          )
    ) refused
    WHERE shops.deleted_at IS NULL GROUP BY shops.key
"""
