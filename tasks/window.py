"""Which orders a run reads: the frozen window of the first import, and what a sync and a reconciliation read after
it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from prefect.runtime import flow_run

from cartum_roapp.apis.cartum import Cartum
from cartum_roapp.errors import NotReady
from cartum_roapp.ledger import held, orders, shops
from cartum_roapp.orders.qualifying import FINAL_FOR, OVERLAP, Rule
from tasks.fetch import Rows, slices
from tasks.run import CANCELED, Run

# The shop's clock may run ahead of ours, and lie in any zone.
AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Statuses:
    """The shop's statuses by what they mean: `successful` (Delivered), `final` (no change is expected), `open`."""

    successful: frozenset[int]
    final: frozenset[int]
    open: tuple[int, ...]


async def read_statuses(run: Run, api: Cartum) -> Statuses:
    """Final are those that the shop's settings name, else the successful ones and 4 (canceled)."""
    found = await api.statuses()
    successful = frozenset(status.id for status in found if status.is_successful)
    final = frozenset(run.shop.final_statuses) if run.shop.final_statuses is not None else successful | {CANCELED}
    return Statuses(successful, final, tuple(status.id for status in found if status.id not in final))


@dataclass(frozen=True)
class Window:
    """The frozen window of the first import, UTC; of a reconciliation it goes on until now."""

    since: datetime
    until: datetime
    stored_until: datetime | None

    def slices(self) -> Iterator[tuple[datetime, datetime]]:
        """A week at a time, from where an earlier run stopped; all of it again once it was stored."""
        yield from slices(self.stored_until or self.since, self.until)


@dataclass(frozen=True)
class Trailing:
    """What an incremental sync reads: orders created from `since` to `until`, open ones from `trailing_from`. UTC."""

    since: datetime
    until: datetime
    trailing_from: datetime


def freeze_window(run: Run) -> Window:
    """The window is set at the very first start. Another run may have stored some of it meanwhile."""
    state = shops.freeze_window(run.engine, run.shop.key, run.started, run.shop.timezone)
    run.refresh()
    assert state.window_from is not None and state.window_to is not None
    stored = None if state.window_stored_at else state.stored_until
    return Window(state.window_from, state.window_to, stored)


def close_window(run: Run) -> None:
    """All of the window is in the ledger: the incremental sync may begin. May be called twice."""
    with run.engine.begin() as connection:
        shops.window_stored(connection, run.shop.key)
    run.refresh()


def stored_window(run: Run) -> Trailing:
    """Raises BadConfig before the first import has stored its window; it pauses nothing."""
    state = run.state
    if state.window_stored_at is None or state.watermark is None or state.window_from is None:
        raise NotReady(
            "the first import has not read its two months yet.",
            shop=run.shop.slug,
            fix=f"Run it: `cartum-roapp import {run.shop.slug}`; a stopped one goes on where it was.",
        )
    trailing = max(run.started - timedelta(days=run.shop.window_days), state.window_from)
    return Trailing(state.watermark - OVERLAP, run.started + AHEAD, trailing)


def history(run: Run) -> Window:
    """All that was ever to be taken over: from the frozen window's start until now. Raises as `stored_window`."""
    until = stored_window(run).until
    assert run.state.window_from is not None
    return Window(run.state.window_from, until, None)


def nothing_due(run: Run) -> bool:
    """Another run read the shop after this one was due: runs that piled up during an outage end at once."""
    watermark = run.refresh().watermark
    due = flow_run.get_scheduled_start_time() if flow_run.get_id() else None
    return watermark is not None and watermark > (min(due, run.started) if due else run.started)


def reread(run: Run, final: frozenset[int]) -> set[str]:
    """Numbers that the ledger believes open, or final for less than two weeks, and those whose row is held."""
    return orders.to_reread(run.engine, run.shop.key, final, FINAL_FOR) | held.rows(run.engine, run.shop.key)


def qualifying(run: Run, rows: Rows, successful: frozenset[int], taken: Collection[str] = ()) -> Rows:
    """Those of the rows that are taken over: the rule is `cartum_roapp.orders.qualifying`. What is held was taken, and
    so were the numbers `taken`, whoever knows it."""
    state = run.state
    assert state.window_from is not None and state.window_to is not None
    rule = Rule(state.window_from, state.window_to, successful, run.zone)
    known = orders.known(run.engine, run.shop.key, list(rows)) | held.rows(run.engine, run.shop.key)
    known |= rows.keys() & set(taken)
    return rule.rows(rows, known)
