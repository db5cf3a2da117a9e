"""Figures of all shops at once, for monitoring: six queries, whatever the number of shops. No buyer's data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, text

from cartum_roapp.ledger import database, outbox, refusals
from cartum_roapp.ledger.counters import RUNS


@dataclass(frozen=True)
class ShopFigures:
    """One connected shop. `lag`: seconds since the start of its last complete read, None before the first one."""

    key: str
    slug: str
    paused: bool
    lag: float | None


@dataclass(frozen=True)
class Figures:
    """`shops` are the connected ones, in the order in which they were connected. All else also covers deleted shops
    whose history is here, and has the shop's key in front.

    refusals       shop: how often in a row it was refused, see `ledger.refusals`
    waiting        (shop, priority): orders that wait for delivery
    held           (shop, code): records that need a person
    dismissed      (shop,): those that a person left as they are
    counted        (shop, kind of run, counter, of what), see `ledger.counters`
    succeeded_at   (shop, kind of run): when one completed last, in seconds since 1970
    turns          account: calls to RO App, since PostgreSQL last recovered from a crash
    """

    shops: list[ShopFigures]
    refusals: Mapping[str, int]
    waiting: Mapping[tuple[str, int], int]
    held: Mapping[tuple[str, str], int]
    dismissed: Mapping[str, int]
    counted: Mapping[tuple[str, str, str, str], int]
    succeeded_at: Mapping[tuple[str, str], float]
    turns: Mapping[str, int]


def read(engine: Engine) -> Figures:
    with database.reading(engine) as connection:
        shops = [ShopFigures(**row._mapping) for row in connection.execute(_SHOPS)]
        refused = {key: refusal.times for key, refusal in refusals.of_all(connection).items()}
        waiting = outbox.depths(connection)
        records = connection.execute(_HELD).all()
        counters = connection.execute(_COUNTERS).all()
        turns = {row.account: row.turns for row in connection.execute(_TURNS)}
    dismissed: Counter[str] = Counter()
    for row in records:
        dismissed[row.shop] += row.dismissed
    return Figures(
        shops,
        refused,
        waiting,
        {(row.shop, row.code): row.held for row in records},
        dismissed,
        {(row.shop, row.run, row.counter, row.of): row.value for row in counters},
        {(row.shop, row.run): row.at for row in counters if (row.counter, row.of) == (RUNS, "completed")},
        turns,
    )


_SHOPS = text(
    "SELECT key, slug, paused_because IS NOT NULL AS paused, extract(epoch FROM now() - watermark)::float8 AS lag "
    "FROM shops WHERE deleted_at IS NULL ORDER BY connected_at, key"
)
_HELD = text(
    "SELECT shop, code, count(*) FILTER (WHERE dismissed_at IS NULL) AS held, "
    "count(*) FILTER (WHERE dismissed_at IS NOT NULL) AS dismissed FROM held GROUP BY 1, 2"
)
_COUNTERS = text('SELECT shop, run, counter, "of", value, extract(epoch FROM last_at)::float8 AS at FROM counters')
_TURNS = text("SELECT account, turns FROM call_slots")
