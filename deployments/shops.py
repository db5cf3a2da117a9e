"""The deployments of each shop: `incremental-sync/<slug>` every five minutes, `reconcile/<slug>` every night,
`initial-import/<slug>` on demand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from inspect import cleandoc
from typing import Any

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.schedules import Cron, Interval, Schedule
from prefect.types.entrypoint import EntrypointType

from blocks.store import delete_shop, list_shops, load_shop
from cartum_roapp.config import ShopConfig
from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import shops
from cartum_roapp.service import ledger
from deployments import alerts, pool
from flows.incremental_sync import incremental_sync
from flows.initial_import import initial_import
from flows.reconcile import reconcile
from tasks import schedule
from tasks.deliver import SYNC_EVERY

FLOWS: tuple[Flow[Any, Any], ...] = (incremental_sync, initial_import, reconcile)
SCHEDULE, NIGHTLY = "every-5-minutes", "every-night"


async def connect(config: ShopConfig) -> None:
    """Registers the shop in the ledger and makes or renews its deployments. May be called twice.

    The schedules are active once the window of the first import is in the ledger, unless the shop is switched off or
    was paused by hand: a pause that wrong settings caused ends, as these have been checked.
    """
    with ledger.opened() as engine:
        shops.register(engine, key=config.key, slug=config.slug, account=config.account)
        shops.lift_pause(engine, config.key, by_hand=False)
        state = shops.state(engine, config.key)
    await pool.ensure()
    active = config.enabled and state.window_stored_at is not None and state.paused_because is None
    await _deploy(config, initial_import)
    every = Interval(SYNC_EVERY, anchor_date=anchor(config.key), active=active, slug=SCHEDULE)
    await _deploy(config, incremental_sync, every)
    nightly = Cron(night(config.key), timezone=config.timezone, active=active, slug=NIGHTLY)
    await _deploy(config, reconcile, nightly, repair=True)
    await (schedule.resume if active else schedule.pause)(config.slug)
    # What waits for the first import is not missed either: only a success opens the window of "no success".
    await alerts.renew(config, active=config.enabled and state.paused_because is None)


def anchor(key: str) -> datetime:
    """When the shop's schedule ticks: interval schedules have no jitter, so the shops are spread over the five
    minutes by their keys."""
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=_spread(key, int(SYNC_EVERY.total_seconds())))


def night(key: str) -> str:
    """When the shop is reconciled, as cron writes it: between three and four at night on the shop's clock; once also on
    the nights when clocks change."""
    return f"{_spread(key, 60)} 3 * * *"


def _spread(key: str, within: int) -> int:
    return sum(ord(letter) * pow(31, place, within) for place, letter in enumerate(key)) % within


async def pause(config: ShopConfig) -> None:
    """The schedules stand still until `resume`. May be called twice."""
    with ledger.opened() as engine:
        shops.pause(engine, config.key, shops.BY_HAND)
    await schedule.pause(config.slug)
    await alerts.renew(config, active=False)


async def resume(config: ShopConfig) -> None:
    """Lifts a pause, whatever its reason. May be called twice."""
    with ledger.opened() as engine:
        shops.lift_pause(engine, config.key, by_hand=True)
    await connect(config)


async def disconnect(slug: str, *, purge: bool = False) -> None:
    """Removes the shop's deployments with their schedules, and its block. RO App keeps its orders; the ledger keeps
    the history unless `purge`. May be called again after a failure."""
    async with get_client() as client:
        for flow in FLOWS:
            try:
                deployment = await client.read_deployment_by_name(f"{flow.name}/{slug}")
            except ObjectNotFound:
                continue
            await client.delete_deployment(deployment.id)
    await alerts.remove(slug)
    try:
        key = (await load_shop(slug)).key
    except BadConfig:
        key = None
    with ledger.opened() as engine:
        for state in shops.all_states(engine):
            if state.key == key or state.slug == slug:
                shops.forget(engine, state.key, purge=purge)
    await delete_shop(slug)


async def renew_alerts() -> None:
    """Every shop's automations, after another block was chosen for their messages. May be called twice."""
    found = [config for config in (await list_shops()).values() if isinstance(config, ShopConfig)]
    with ledger.opened() as engine:
        paused = {state.key: state.paused_because is not None for state in shops.all_states(engine)}
    for config in found:
        await alerts.renew(config, active=config.enabled and not paused.get(config.key, True))


async def _deploy(
    config: ShopConfig, flow: Flow[Any, Any], schedule: Schedule | None = None, **parameters: object
) -> None:
    # A module entrypoint: a file's would be imported a second time, from wherever the worker stands.
    deployment = await flow.ato_deployment(
        config.slug,
        entrypoint_type=EntrypointType.MODULE_PATH,
        parameters={"shop": config.slug, **parameters},
        tags=pool.tags_of(config),
        description=f"{config.name} ({config.url})\n\n{cleandoc(flow.description or '')}",
        version=version("cartum-roapp"),
        work_pool_name=pool.POOL,
        schedules=[schedule] if schedule else [],
    )
    await deployment.aapply()
