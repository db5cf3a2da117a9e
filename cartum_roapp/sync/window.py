"""Which orders a run reads: the frozen window of the first import, and what a sync and a reconciliation read later."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cartum_roapp.apis.cartum import Cartum
from cartum_roapp.errors import NotReady
from cartum_roapp.ledger import database, held, orders, shop_statuses, shops, standing
from cartum_roapp.ledger.scope import Scope
from cartum_roapp.orders.qualifying import FINAL_FOR, OVERLAP, Rule
from cartum_roapp.orders.texts import pick
from cartum_roapp.sync.fetch import Rows, slices
from cartum_roapp.sync.run import CANCELED, Run

# The shop's clock may be ahead of ours, in any time zone.
AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Statuses:
    """The shop's statuses by their meaning: `successful` (Delivered), `final` (no change is expected), `open`."""

    successful: frozenset[int]
    final: frozenset[int]
    open: tuple[int, ...]


async def classify_statuses(run: Run, api: Cartum) -> Statuses:
    """Reads the shop's statuses, and notes their names in the ledger. Final are those that its settings name, otherwise
    the successful ones and 4 (canceled)."""
    found = await api.statuses()
    shop_statuses.note_names(run.engine, run.shop.key, {one.id: pick(one.titles, run.shop.language) for one in found})
    successful = frozenset(status.id for status in found if status.is_successful)
    final = frozenset(run.shop.final_statuses) if run.shop.final_statuses is not None else successful | {CANCELED}
    return Statuses(successful, final, tuple(status.id for status in found if status.id not in final))


@dataclass(frozen=True)
class Window:
    """The frozen window of the first import: a range of times of creation in UTC. `stored_until` is where an earlier
    run stopped; None: nothing is stored, or all is."""

    since: datetime
    until: datetime
    stored_until: datetime | None

    def slices(self, stored_until: datetime | None = None) -> Iterator[tuple[datetime, datetime]]:
        """Yields the window week by week, from where this run was (`stored_until`) or an earlier one stopped; from its
        start if it was stored before."""
        yield from slices(stored_until or self.stored_until or self.since, self.until)


@dataclass(frozen=True)
class SyncRange:
    """What an incremental sync reads: orders created from `created_from` to `created_to`, and open ones created from
    `open_created_from` on. All are in UTC."""

    created_from: datetime
    created_to: datetime
    open_created_from: datetime


def freeze_window(run: Run) -> Window:
    """Returns the window. Sets it at the first start of the first import. Reads the ledger again, as another run may
    have stored a part of the window meanwhile."""
    state = shops.freeze_window(run.engine, run.shop.key, run.started, run.shop.timezone)
    run.refresh()
    assert state.window_from is not None and state.window_to is not None
    stored = None if state.window_stored_at else state.stored_until
    return Window(state.window_from, state.window_to, stored)


def close_window(run: Run) -> None:
    """Marks the whole window as stored: the incremental sync may begin. Idempotent."""
    with run.engine.begin() as connection:
        shops.mark_window_stored(connection, run.shop.key)
    run.refresh()


def sync_range(run: Run) -> SyncRange:
    """Returns what an incremental sync reads: until one day after the run's start, as the shop's clock may be ahead.
    Raises NotReady, which pauses nothing, before the first import has stored its window."""
    state = run.state
    if state.window_stored_at is None or state.watermark is None or state.window_from is None:
        raise NotReady(
            "the first import has not read its two months yet.",
            shop=run.shop.slug,
            fix=f"Run it: `cartum-roapp import {run.shop.slug}`; a stopped one goes on where it was.",
        )
    open_from = max(run.started - timedelta(days=run.shop.window_days), state.window_from)
    return SyncRange(min(state.watermark, run.started) - OVERLAP, run.started + AHEAD, open_from)


def compared_orders(run: Run, *, everything: bool) -> Scope:
    """Returns which orders a reconciliation compares: `everything` since the oldest order of the ledger, or those whose
    turn it is, until one day after the run's start, as the shop's clock may be ahead. Raises NotReady like
    `sync_range`."""
    until, since = sync_range(run).created_to, run.state.window_from
    assert since is not None
    with database.reading(run.engine) as connection:
        since = min(since, standing.oldest(connection, run.shop.key) or since)
    recent = shops.two_months_before(run.started, run.shop.timezone)
    return Scope.of_all(since) if everything else Scope.of_night(since, recent, until, run.started, run.zone)


def already_read(run: Run) -> bool:
    """Returns whether another run read the shop after this one was due. So runs that became late in an outage end at
    once. A watermark in the future, of a clock that was ahead, proves nothing."""
    watermark = run.refresh().watermark
    began = min(run.due or run.started, run.started)
    return watermark is not None and began < watermark <= datetime.now(UTC)


def numbers_to_reread(run: Run, final: frozenset[int]) -> set[str]:
    """Returns the numbers of orders that the ledger has as open or as final for less than two weeks, and those whose
    row is held."""
    open_for = timedelta(days=run.shop.window_days)
    known = orders.to_reread(run.engine, run.shop.key, final, open_for=open_for, final_for=FINAL_FOR)
    return known | held.rows(run.engine, run.shop.key)


def select_rows(run: Run, rows: Rows, successful: frozenset[int], in_roapp: Collection[str] = ()) -> Rows:
    """Returns the rows that are taken over by the rule of `cartum_roapp.orders.qualifying`. The ledger's orders, held
    rows and the numbers in `in_roapp` (orders that RO App has) count as known."""
    state = run.state
    assert state.window_from is not None and state.window_to is not None
    rule = Rule(state.window_from, state.window_to, successful, run.zone)
    known = orders.known(run.engine, run.shop.key, list(rows)) | held.rows(run.engine, run.shop.key)
    known |= rows.keys() & set(in_roapp)
    return rule.rows(rows, known)
