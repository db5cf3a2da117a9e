"""The deployments of each shop: `incremental-sync/<slug>` every five minutes, `reconcile/<slug>` every night,
`initial-import/<slug>` on demand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from inspect import cleandoc
from typing import Any

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectNotFound
from prefect.flows import load_flow_from_entrypoint
from prefect.schedules import Cron, Interval, Schedule
from prefect.types.entrypoint import EntrypointType

from blocks import store
from blocks.examine import taken
from cartum_roapp.config import ShopConfig, shop_key
from cartum_roapp.connection.problems import bad_config
from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import shops
from cartum_roapp.service import ledger
from deployments import alerts, pool
from tasks import schedule
from tasks.deliver import SYNC_EVERY

#: By entrypoint, as prefect.yaml names the shared ones: flows that connect and delete a shop use this module.
SYNC, IMPORT = "flows.incremental_sync.incremental_sync", "flows.initial_import.initial_import"
RECONCILE = "flows.reconcile.reconcile"
PAGE = 200
SCHEDULE, NIGHTLY = "every-5-minutes", "every-night"


async def add(config: ShopConfig, company: str) -> None:
    """Saves a new shop and connects it: a shop is there with all that belongs to it, or not at all. `company` is the
    fingerprint of its account's company. May be called twice. Raises BadConfig where another shop was saved under its
    name meanwhile."""
    if (await store.list_shops()).get(config.slug, config) != config:
        raise bad_config([taken(config.slug)], shop=config.slug)
    try:
        await change(config, company)
    except BaseException:
        await store.delete_shop(config.slug)
        raise


async def change(config: ShopConfig, company: str) -> None:
    """Saves a shop's new settings and connects it with them. An account that was saved by hand learns its company, so
    that a key of another one is refused from now on. May be called twice."""
    await store.know_company(config.account, company)
    await store.save_shop(config)
    await connect(config)


async def connect(config: ShopConfig, *, checked: bool = True) -> None:
    """Registers the shop in the ledger and makes or renews its deployments. May be called twice.

    The schedules are active once the window of the first import is in the ledger, unless the shop is switched off or
    was paused by hand: a pause that wrong settings caused ends where these have been `checked`.
    """
    with ledger.opened() as engine:
        shops.register(engine, key=config.key, slug=config.slug, account=config.account)
        if checked:
            shops.lift_pause(engine, config.key, by_hand=False)
        state = shops.state(engine, config.key)
    await pool.ensure()
    active = config.enabled and state.window_stored_at is not None and state.paused_because is None
    await _deploy(config, IMPORT)
    every = Interval(SYNC_EVERY, anchor_date=anchor(config.key), active=active, slug=SCHEDULE)
    await _deploy(config, SYNC, every)
    nightly = Cron(night(config.key), timezone=config.timezone, active=active, slug=NIGHTLY)
    await _deploy(config, RECONCILE, nightly, repair=True)
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


async def start_import(config: ShopConfig, started_by: str) -> FlowRun:
    """Starts the shop's first import in the background. May be called again with the same `started_by`: it is started
    once."""
    async with get_client() as client:
        deployment = await client.read_deployment_by_name(f"{_flow(IMPORT).name}/{config.slug}")
        return await client.create_flow_run_from_deployment(deployment.id, idempotency_key=f"import: {started_by}")


async def forget_logins(config: ShopConfig) -> None:
    """The shop's own block has what they hold. May be called twice."""
    await store.delete_logins({config.key, shop_key(config.url)})


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
    """Removes the shop's deployments with their schedules, its block and every login for it. RO App keeps its orders;
    the ledger keeps the history unless `purge`. May be called again after a failure."""
    async with get_client() as client:
        for entrypoint in (SYNC, IMPORT, RECONCILE):
            try:
                deployment = await client.read_deployment_by_name(f"{_flow(entrypoint).name}/{slug}")
            except ObjectNotFound:
                continue
            await client.delete_deployment(deployment.id)
    await alerts.remove(slug)
    stored = (await store.list_shops()).get(slug)
    keys = {stored.key, shop_key(stored.url)} if isinstance(stored, ShopConfig) else set()
    with ledger.opened() as engine:
        for state in shops.all_states(engine):
            if state.slug == slug or state.key in keys:
                shops.forget(engine, state.key, purge=purge)
                keys.add(state.key)
        if purge:
            keys |= set(shops.purge_deleted(engine, slug))
    await store.delete_logins(keys)
    await store.delete_shop(slug)


@dataclass(frozen=True)
class Synced:
    """Shops whose deployments are as their blocks say, shops that had no block any more, and blocks that can't be used
    (slug → why)."""

    renewed: list[str]
    removed: list[str]
    unusable: dict[str, BadConfig]


async def sync() -> Synced:
    """Makes deployments, schedules and alerts of all shops what their blocks say: for blocks that were edited or
    deleted by hand, deployments that somebody changed, and after an upgrade. May be called twice.

    A shop without a block is disconnected like a deleted one; one whose block can't be used stands still.
    """
    renewed, unusable = [], {}
    blocks = await store.list_shops()
    for slug, config in blocks.items():
        if isinstance(config, BadConfig):
            unusable[slug] = config
            await schedule.pause(slug)
        else:
            await connect(config, checked=False)
            renewed.append(slug)
    removed = sorted(await connected() - blocks.keys())
    for slug in removed:
        await disconnect(slug)
    return Synced(renewed, removed, unusable)


async def connected(*, deleted: bool = False) -> set[str]:
    """The slugs of all shops that have anything: a block, deployments, or a place in the ledger; with `deleted` also
    those whose history is all that is left."""
    with ledger.opened() as engine:
        slugs = {state.slug for state in shops.all_states(engine)} | (await store.list_shops()).keys()
        if deleted:
            slugs |= shops.deleted_slugs(engine)
    wanted = DeploymentFilter(tags=DeploymentFilterTags(all_=[pool.TAG]))
    async with get_client() as client:
        offset = 0
        while page := await client.read_deployments(deployment_filter=wanted, limit=PAGE, offset=offset):
            offset += len(page)
            slugs |= {tag.removeprefix("shop:") for one in page for tag in one.tags if tag.startswith("shop:")}
    return slugs


async def renew_alerts() -> None:
    """Every shop's automations, after another block was chosen for their messages. May be called twice."""
    found = [config for config in (await store.list_shops()).values() if isinstance(config, ShopConfig)]
    with ledger.opened() as engine:
        paused = {state.key: state.paused_because is not None for state in shops.all_states(engine)}
    for config in found:
        await alerts.renew(config, active=config.enabled and not paused.get(config.key, True))


def _flow(entrypoint: str) -> Flow[Any, Any]:
    return load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False)


async def _deploy(config: ShopConfig, entrypoint: str, schedule: Schedule | None = None, **parameters: object) -> None:
    flow = _flow(entrypoint)
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
