"""The shop's schedules in Prefect, of its sync and of its nightly reconciliation: they go active when the import's
window is in the ledger, and stand still while the shop is paused."""

from __future__ import annotations

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings
from sqlalchemy import Engine

from cartum_roapp.ledger import shops

SCHEDULED = ("incremental-sync", "reconcile")


async def start(engine: Engine, key: str) -> bool:
    """The schedules run from now on, unless a person paused the shop: another pause ends here, as the settings held for
    all of the window, and fresh orders must not wait until that is delivered. May be called twice."""
    shops.lift_pause(engine, key, by_hand=False)
    return await resume_imported(engine, key)


async def resume_imported(engine: Engine, key: str) -> bool:
    """The schedules run from now on where the shop is not paused and its window is in the ledger: before that a sync
    has nothing to go on from. May be called twice."""
    state = shops.state(engine, key)
    ready = state.paused_because is None and state.window_stored_at is not None
    return ready and await resume(state.slug)


async def resume(slug: str) -> bool:
    """The schedules run from now on. False where the shop has no deployment. May be called twice."""
    return await _set(slug, active=True)


async def pause(slug: str) -> bool:
    """The schedules stand still; runs that a person starts still run. May be called twice."""
    return await _set(slug, active=False)


async def _set(slug: str, *, active: bool) -> bool:
    found = False
    if get_current_settings().api.url is None:  # a run without Prefect, as tests and benchmarks make them
        return False
    async with get_client() as client:
        for flow in SCHEDULED:
            try:
                deployment = await client.read_deployment_by_name(f"{flow}/{slug}")
            except ObjectNotFound:
                continue
            found = True
            for schedule in deployment.schedules:
                if schedule.active != active:
                    await client.update_deployment_schedule(deployment.id, schedule.id, active=active)
    return found
