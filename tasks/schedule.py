"""The shop's schedules in Prefect: of its sync and of its nightly reconciliation. They become active when the window of
the first import is in the ledger, and are paused while the shop is paused.

All functions are idempotent.
"""

from __future__ import annotations

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings
from sqlalchemy import Engine

from blocks import store
from cartum_roapp.ledger import refusals, shops
from cartum_roapp.shops import ShopConfig

SCHEDULED = ("incremental-sync", "reconcile")


async def start(engine: Engine, key: str) -> bool:
    """Activates the schedules after the window was stored, unless a person paused the shop. An earlier refusal puts no
    sync off: the settings were right for the whole window, and fresh orders must not wait until it is delivered.
    Returns whether the shop has deployments that are active now."""
    refusals.forget(engine, key)
    return await resume_imported(engine, key)


async def resume_imported(engine: Engine, key: str) -> bool:
    """Activates the schedules if the shop is neither paused nor switched off by now, and its window is in the ledger,
    which a sync needs. Returns whether the shop has deployments that are active now."""
    state = shops.state(engine, key)
    ready = state.paused_because is None and state.window_stored_at is not None
    return ready and await _is_enabled(state.slug) and await _set(state.slug, active=True)


async def _is_enabled(slug: str) -> bool:
    if get_current_settings().api.url is None:
        return True
    found = await store.find_shop(slug)
    return found.enabled if isinstance(found, ShopConfig) else True  # else the next sync says what is wrong


async def pause(slug: str) -> bool:
    """Pauses the schedules; runs that a person starts still run. Returns False if the shop has no deployments."""
    return await _set(slug, active=False)


async def _set(slug: str, *, active: bool) -> bool:
    found = False
    if get_current_settings().api.url is None:  # tests and benchmarks run without Prefect
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
