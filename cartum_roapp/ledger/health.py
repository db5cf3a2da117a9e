"""How each shop is doing: what `cartum-roapp status`, the shops' pages and the overview show."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, text

from cartum_roapp.ledger import database, refusals, shops
from cartum_roapp.ledger.refusals import Refusal
from cartum_roapp.ledger.shops import ShopState

#: A shop is behind when its last run that brought orders over is older than this.
BEHIND_AFTER = timedelta(minutes=30)
#: What the budget of an account is counted over.
BUDGET_OVER = timedelta(hours=1)


@dataclass
class Health:
    """One shop now. Times are UTC.

    `refusal`: the last one, of a shop that had no success since. `waiting`: orders. `held`, `dismissed`: records;
    `held_by_code`: those that are not dismissed. `last_success`: the end of the last import or sync. `new`, `changed`,
    `calls`: of all runs of the last 24 hours; what a canceled backfill took out of the outbox is neither new nor
    changed. `hour_calls`: to RO App, by all shops of the account in the last hour.
    """

    state: ShopState
    refusal: Refusal | None = None
    waiting: int = 0
    held: int = 0
    dismissed: int = 0
    held_by_code: dict[str, int] = field(default_factory=dict)
    last_success: datetime | None = None
    new: int = 0
    changed: int = 0
    calls: int = 0
    hour_calls: int = 0
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def imported(self) -> bool:
        """Whether all orders of the import's window are in the ledger."""
        return self.state.window_stored_at is not None

    @property
    def lag(self) -> timedelta | None:
        """How far the ledger is behind the shop; None before the first import."""
        return None if self.state.watermark is None else max(timedelta(0), self.at - self.state.watermark)

    @property
    def word(self) -> str:
        """The shop's health in a word or two."""
        if self.state.paused_because is not None:
            return "paused"
        if self.refusal is not None:
            return "refused"
        if not self.imported:
            return "not imported"
        began = self.last_success or self.state.window_stored_at
        if began is None or self.at - began > BEHIND_AFTER:
            return "behind"
        if self.last_success is None:
            return "importing"
        return "needs you" if self.held else "well"

    def budget_used(self, interval: float) -> float:
        """Returns the share of the account's calls that the last hour took, where a call may be made every `interval`
        seconds."""
        return self.hour_calls * interval / BUDGET_OVER.total_seconds()


def of_all(engine: Engine) -> list[Health]:
    """Returns every shop that is connected, by slug."""
    return _read(engine, None)


def of_shop(engine: Engine, key: str) -> Health | None:
    """Returns one shop; None if it is not connected."""
    return next(iter(_read(engine, key)), None)


def _read(engine: Engine, key: str | None) -> list[Health]:
    found = {state.key: Health(state) for state in shops.all_states(engine) if key in (None, state.key)}
    with database.reading(engine) as connection:
        for row in connection.execute(text(_WAITING), {"key": key}):
            if (one := found.get(row.shop)) is not None:
                one.waiting = row.waiting
        for row in connection.execute(text(_HELD), {"key": key}):
            if (one := found.get(row.shop)) is not None:
                one.held, one.dismissed = one.held + row.held, one.dismissed + row.dismissed
                one.held_by_code |= {row.code: row.held} if row.held else {}
        for row in connection.execute(text(_RUNS), {"key": key}):
            if (one := found.get(row.shop)) is not None:
                one.last_success = row.last_success
                one.new, one.changed, one.calls = row.new, row.changed, row.calls
        for shop, refusal in refusals.of_all(connection).items():
            if (one := found.get(shop)) is not None:
                one.refusal = refusal
        budgets = _hour_calls(connection, key)
    for one in found.values():
        one.hour_calls = budgets.get(one.state.account, 0)
    return list(found.values())


def _hour_calls(connection: Connection, key: str | None) -> dict[str, int]:
    rows = connection.execute(text(_BUDGET), {"over": BUDGET_OVER, "key": key})
    return {row.account: row.calls for row in rows}


# The overview asks for all shops, so none of these reads a whole table: this one reads ix_outbox_waiting, those of runs
# ix_runs_shop_started_at.
_WAITING = """
    SELECT shop, count(*) AS waiting FROM outbox WHERE wanted_version > delivered_version AND NOT held
    AND (CAST(:key AS text) IS NULL OR shop = :key) GROUP BY shop
"""
_HELD = """
    SELECT shop, code, count(*) FILTER (WHERE dismissed_at IS NULL) AS held,
           count(*) FILTER (WHERE dismissed_at IS NOT NULL) AS dismissed
    FROM held WHERE CAST(:key AS text) IS NULL OR shop = :key GROUP BY shop, code ORDER BY held DESC, code
"""
#: Runs that bring over everything; others bring what a person names.
_BRINGING = "('incremental-sync', 'initial-import')"
_RUNS = f"""
    WITH canceled AS (
        SELECT shop, run, sum(not_wanted)::int AS new, sum(taken_out - not_wanted)::int AS changed
        FROM backfills, jsonb_to_record(counts) AS at_its_end (taken_out int, not_wanted int)
        WHERE state = 'canceled' AND ended_at > now() - interval '24 hours' GROUP BY shop, run
    )
    SELECT shops.key AS shop, success.last_success, coalesce(day.new, 0) AS new, coalesce(day.changed, 0) AS changed,
           coalesce(day.calls, 0) AS calls
    FROM shops
    LEFT JOIN LATERAL (
        SELECT finished_at AS last_success FROM runs
        WHERE runs.shop = shops.key AND runs.state = 'completed' AND runs.kind IN {_BRINGING}
        ORDER BY started_at DESC LIMIT 1
    ) success ON true
    LEFT JOIN LATERAL (
        SELECT sum(greatest((counts->>'new')::int - coalesce(canceled.new, 0), 0)) AS new,
               sum(greatest((counts->>'changed')::int - coalesce(canceled.changed, 0), 0)) AS changed,
               sum((counts->>'calls')::int) AS calls
        FROM runs LEFT JOIN canceled ON (canceled.shop, canceled.run) = (runs.shop, runs.id)
        WHERE runs.shop = shops.key AND started_at > now() - interval '24 hours'
    ) day ON true
    WHERE shops.deleted_at IS NULL AND (CAST(:key AS text) IS NULL OR shops.key = :key)
"""
_BUDGET = """
    SELECT shops.account, sum(hour.calls)::int AS calls
    FROM shops CROSS JOIN LATERAL (
        SELECT sum((counts->'calls_by_kind'->>'roapp_reads')::int
                   + (counts->'calls_by_kind'->>'roapp_writes')::int) AS calls
        FROM runs
        WHERE runs.shop = shops.key AND started_at > now() - interval '24 hours' AND finished_at > now() - :over
    ) hour
    WHERE hour.calls IS NOT NULL
    AND (CAST(:key AS text) IS NULL OR account = (SELECT account FROM shops WHERE key = :key)) GROUP BY shops.account
"""
