"""Delivers the outbox to RO App."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from cartum_roapp.delivery.account import Deliverer, Goal, Outcome
from cartum_roapp.errors import Retryable
from cartum_roapp.ledger import held, release
from cartum_roapp.sync.run import Run
from tasks.arrows import After
from tasks.names import counted
from tasks.progress import Progress
from tasks.step import step

SYNC_EVERY = timedelta(minutes=5)
#: How long a sync delivers what an import left, from its start: the next sync is due soon after.
LEFTOVERS = SYNC_EVERY - timedelta(seconds=60)


async def deliver(
    run: Run,
    *,
    upto: int,
    rest_until: datetime | None = None,
    until: datetime | None = None,
    backfill: int | None = None,
) -> Outcome:
    """Waits until the shop's orders up to this priority, or those of its `backfill`, are in RO App or held; with
    `until` (UTC), no longer than that, and not for those that are put off. While no other run does, it delivers the
    outbox of the whole account, until `rest_until` (UTC) also orders that this run does not wait for.

    Releases held records whose cause is gone first. Raises Retryable and BadConfig; orders that were not delivered stay
    in the outbox. Idempotent.
    """
    # An import tries all held records again at once.
    pause = 0 if run.kind == "initial-import" else run.settings.look_again
    release.release_held(run.engine, run.shop.key, run.shop.statuses, timedelta(seconds=pause))
    goal = Goal(run.shop.key, upto, rest_until, until, backfill)
    deliverer = deliverer_of(run)
    outcome = await deliver_task(run, goal, deliverer.own(goal)) if deliverer.is_due(goal) else Outcome(0, 0)
    run.counts.delivered += outcome.delivered
    run.counts.held = held.count(run.engine, run.shop.key)
    if outcome.waiting:
        run.refresh()  # raises if the shop was deleted meanwhile: then there is no next run
        if until is None:
            raise Retryable(f"{outcome.waiting} orders are still to be delivered; the next run goes on with them.")
    return outcome


async def deliver_outbox(run: Run, goal: Goal, orders: Collection[str]) -> Outcome:
    """Delivers until the goal is reached. `orders`: those of the goal that wait, which name the task."""
    async with Progress.of(run, "delivered or held") as progress:
        return await deliverer_of(run).deliver(goal, progress.update)


def _named(orders: Collection[str], **_: object) -> str:
    return f"deliver {counted(orders, 'order')}" if orders else "deliver what else is due"


deliver_task = step("deliver", _named, after=After.ALL)(deliver_outbox)


def deliverer_of(run: Run) -> Deliverer:
    return Deliverer(run.engine, run.account, run.shop, run.stored, run.settings, run.calls, run.id)
