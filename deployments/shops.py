"""The deployments of each shop: `incremental-sync/<slug>` every five minutes, `initial-import/<slug>` on demand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.schedules import Interval
from sqlalchemy import Engine

from blocks.store import delete_shop, load_shop
from cartum_roapp import service
from cartum_roapp.config import ShopConfig
from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import database, shops
from cartum_roapp.settings import settings
from deployments import pool
from flows.incremental_sync import incremental_sync
from flows.initial_import import initial_import
from tasks import schedule
from tasks.deliver import SYNC_EVERY

FLOWS: dict[str, Flow[Any, Any]] = {"incremental-sync": incremental_sync, "initial-import": initial_import}


async def connect(config: ShopConfig) -> None:
    """Registers the shop in the ledger and makes or renews its deployments. May be called twice.

    The schedule is active once the window of the first import is in the ledger, unless the shop is paused
    or switched off.
    """
    with _ledger() as engine:
        state = shops.register(engine, key=config.key, slug=config.slug, account=config.account)
    await pool.ensure()
    active = config.enabled and state.window_stored_at is not None and state.paused_because is None
    await _deploy(config, "initial-import")
    await _deploy(config, "incremental-sync", Interval(SYNC_EVERY, anchor_date=anchor(config.key)), active)
    await (schedule.resume if active else schedule.pause)(config.slug)


def anchor(key: str) -> datetime:
    """When the shop's schedule ticks: interval schedules have no jitter, so the shops are spread over the five
    minutes by their keys."""
    offset = sum(ord(letter) * 31**place for place, letter in enumerate(key)) % int(SYNC_EVERY.total_seconds())
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=offset)


async def pause(config: ShopConfig) -> None:
    """The schedule stands still until `resume`. May be called twice."""
    with _ledger() as engine:
        shops.pause(engine, config.key, "Paused by hand.")
    await schedule.pause(config.slug)


async def resume(config: ShopConfig) -> None:
    """Lifts a pause, whatever its reason. May be called twice."""
    with _ledger() as engine:
        shops.lift_pause(engine, config.key)
    await connect(config)


async def disconnect(slug: str, *, purge: bool = False) -> None:
    """Removes the shop's deployments with their schedules, and its block. RO App keeps its orders; the ledger keeps
    the history unless `purge`. May be called again after a failure."""
    async with get_client() as client:
        for flow in FLOWS:
            try:
                deployment = await client.read_deployment_by_name(f"{flow}/{slug}")
            except ObjectNotFound:
                continue
            await client.delete_deployment(deployment.id)
    try:
        key = (await load_shop(slug)).key
    except BadConfig:
        key = None
    with _ledger() as engine:
        for state in shops.all_states(engine):
            if state.key == key or state.slug == slug:
                shops.forget(engine, state.key, purge=purge)
    await delete_shop(slug)


async def _deploy(config: ShopConfig, flow: str, interval: Any = None, active: bool = False) -> None:
    module = flow.replace("-", "_")
    deployment = RunnerDeployment(
        name=config.slug,
        flow_name=flow,
        entrypoint=f"flows.{module}:{module}",
        parameters={"shop": config.slug},
        tags=["cartum-roapp", f"shop:{config.slug}", f"account:{config.account}"],
        description=f"{config.name} ({config.url}): {(FLOWS[flow].description or '').strip()}",
        version=version("cartum-roapp"),
        work_pool_name=pool.POOL,
        schedules=[{"schedule": interval, "active": active}] if interval else [],
    )
    deployment._set_defaults_from_flow(FLOWS[flow])
    await deployment.aapply()


@contextmanager
def _ledger() -> Iterator[Engine]:
    with service.use(settings(), prefect=False) as running:
        engine = database.connect(running.database_url.get_secret_value())
        try:
            database.migrate(engine)
            yield engine
        finally:
            engine.dispose()
