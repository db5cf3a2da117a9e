"""The deployments of one shop: `incremental-sync/<slug>` every five minutes, `reconcile/<slug>` every night,
`initial-import/<slug>` on demand. All functions are idempotent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from inspect import cleandoc

from prefect.client.orchestration import get_client
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.schedules import Cron, Interval, Schedule

from cartum_roapp.links import console_shop
from cartum_roapp.markdown import escaped, link
from cartum_roapp.service import console
from cartum_roapp.settings import settings
from cartum_roapp.shops import ShopConfig
from deployments import pool
from tasks.deliver import SYNC_EVERY
from tasks.tags import tags_of

#: Entrypoints and not imports, like prefect.yaml: the layers below do not import the flows.
SYNC, IMPORT = "flows.incremental_sync.incremental_sync", "flows.initial_import.initial_import"
RECONCILE = "flows.reconcile.reconcile"
SCHEDULE, NIGHTLY = "every-5-minutes", "every-night"


async def described(config: ShopConfig, *, active: bool) -> list[RunnerDeployment]:
    """Returns the deployments, with active or paused schedules."""
    every = Interval(SYNC_EVERY, anchor_date=anchor(config.key), active=active, slug=SCHEDULE)
    nightly = Cron(nightly_cron(config.key), timezone=config.timezone, active=active, slug=NIGHTLY)
    return [
        await _described(config, IMPORT),
        await _described(config, SYNC, every),
        await _described(config, RECONCILE, nightly, repair=True),
    ]


async def remove(slug: str) -> None:
    """Deletes the deployments and their schedules."""
    async with get_client() as client:
        for entrypoint in (SYNC, IMPORT, RECONCILE):
            try:
                deployment = await client.read_deployment_by_name(f"{pool.flow_at(entrypoint).name}/{slug}")
            except ObjectNotFound:
                continue
            await client.delete_deployment(deployment.id)


def anchor(key: str) -> datetime:
    """Returns the anchor of the shop's interval schedule. Such schedules have no jitter, so the shops are spread over
    the five minutes by their keys."""
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=_spread(key, int(SYNC_EVERY.total_seconds())))


def nightly_cron(key: str) -> str:
    """Returns when the shop is reconciled, as a cron expression: between 3 and 4 at night in the shop's time, which
    occurs once also in nights when clocks change."""
    return f"{_spread(key, 60)} 3 * * *"


def _spread(key: str, within: int) -> int:
    return sum(ord(letter) * pow(31, place, within) for place, letter in enumerate(key)) % within


async def _described(
    config: ShopConfig, entrypoint: str, schedule: Schedule | None = None, **parameters: object
) -> RunnerDeployment:
    flow = pool.flow_at(entrypoint)
    about, story = f"{escaped(config.name)} ({config.url})", cleandoc(flow.description or "")
    values, schedules = {"shop": config.slug, **parameters}, [schedule] if schedule else []
    made = await pool.described(
        flow, config.slug, f"{about}\n\n{story}", tags_of(config), values, schedules, enabled=config.enabled
    )
    if address := console.address(settings()):  # no part of the version: it is known while the console is up
        page = link("How this shop is doing", console_shop(address, config.slug))
        made.description = f"{about}\n\n{page}\n\n{story}"
    return made
