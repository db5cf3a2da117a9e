"""Outbox → RO App."""

from __future__ import annotations

from datetime import datetime, timedelta

from cartum_roapp.config import ShopConfig
from cartum_roapp.delivery.account import Deliverer, Goal, Outcome
from cartum_roapp.errors import Retryable
from cartum_roapp.ledger import held, release, shops
from tasks.progress import Progress
from tasks.run import Run
from tasks.step import step

SYNC_EVERY = timedelta(minutes=5)
#: How long a sync goes on with what an import left behind: the next sync is due soon after.
LEFTOVERS = SYNC_EVERY - timedelta(seconds=60)


async def deliver(run: Run, *, upto: int, rest_until: datetime | None = None) -> Outcome:
    """Waits until the shop's orders up to this priority are in RO App or held; delivers for the whole account
    while nobody else does, until `rest_until` (UTC) also what is not this run's own.

    Held records whose cause is gone are released first. Raises Retryable and BadConfig; what waits stays
    in the outbox. May be called twice.
    """
    release.mapped_statuses(run.engine, run.shop)
    # An import tries everything again at once.
    pause = 0 if run.kind == "initial-import" else run.settings.look_again
    release.due_again(run.engine, run.shop.key, timedelta(seconds=pause))
    async with Progress.of(run, "delivered or held") as progress:
        deliverer = Deliverer(run.engine, run.account, _served(run), run.settings, run.calls)
        outcome = await deliverer.deliver(Goal(run.shop.key, upto, rest_until), progress.report)
    run.counts.delivered += outcome.delivered
    run.counts.held = held.count(run.engine, run.shop.key, run.started)
    if outcome.waiting:
        run.refresh()  # the shop may have been deleted meanwhile: then no next run goes on
        raise Retryable(f"{outcome.waiting} orders are still to be delivered; the next run goes on with them.")
    return outcome


def _served(run: Run) -> dict[str, ShopConfig]:
    """The shops of the account by key, except those that stand still until somebody mends their settings."""
    paused = {state.key for state in shops.all_states(run.engine) if state.paused_because}
    return {key: shop for key, shop in run.neighbours.items() if key == run.shop.key or key not in paused}


deliver_task = step("deliver", "roapp")(deliver)
