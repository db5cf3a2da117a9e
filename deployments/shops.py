"""Connects, pauses, resumes and disconnects a shop, with everything that belongs to it: its block, its row in
the ledger, its deployments and its alerts.

Every change of a shop holds one lock over all processes of the ledger, so that what was checked is still true when it
is saved. All functions are idempotent.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from prefect.client.schemas.responses import DeploymentResponse
from sqlalchemy import Engine

from blocks import store
from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import deleted_shops, refusals, shops
from cartum_roapp.service import ledger
from cartum_roapp.shops import ShopConfig
from cartum_roapp.shops.status_match import StatusMatch
from deployments import alerts, form_lists, one_shop, pool
from deployments.saving import locked_ledger
from tasks import schedule


async def save_new(engine: Engine, config: ShopConfig, company: str) -> None:
    """Saves and connects a new shop, or not at all, under the lock of all changes."""
    live, known = _in_ledger(engine, config.key)
    try:
        await save(engine, config, company)
    except BaseException:
        with suppress(Exception):  # the worker's next start removes the rest
            if live:
                await store.delete_shop(config.slug)
            else:
                await _disconnect(engine, config.slug)
            if not known:
                deleted_shops.forget(engine, config.key, purge=True)
        raise


async def match(found: StatusMatch) -> ShopConfig:
    """Saves a pair of statuses beside those that are stored now: somebody else may match another one at the same time.
    Returns the shop as it is saved. Raises BadConfig if it was deleted meanwhile."""
    async with locked_ledger() as engine:
        await _refuse_gone(found.shop)
        stored = await store.load_shop(found.shop.slug)
        config = stored.model_copy(update={"statuses": found.added_to(stored.statuses)})
        await save(engine, config, found.company)
        return config


async def pause(config: ShopConfig) -> None:
    """Pauses the schedules until `resume`."""
    async with locked_ledger() as engine:
        await _refuse_gone(config)
        shops.pause(engine, config.key)
        await schedule.pause(config.slug)
        await alerts.renew(config, active=False)
        await _renew_shared_alerts(engine)


async def resume(config: ShopConfig) -> None:
    """Lifts a pause. A shop that was refused is tried again with its next sync."""
    async with locked_ledger() as engine:
        await _refuse_gone(config)
        shops.lift_pause(engine, config.key)
        await _connect(engine, config, checked=True)


async def disconnect(slug: str, *, purge: bool = False) -> None:
    """Removes the shop's block, and its deployments with their schedules. RO App keeps its orders; the ledger keeps the
    history unless `purge`."""
    async with locked_ledger() as engine:
        await store.find_shop(slug)  # while Prefect's server does not answer, the shop stays whole
        await _disconnect(engine, slug)
        if purge:
            deleted_shops.purge(engine, slug)
        await form_lists.renew(engine)


@dataclass(frozen=True)
class Synced:
    """Slugs of shops of which a deployment was made or updated, and of shops whose rest was removed; shops that can't
    be used as they are stored (slug → why)."""

    renewed: list[str]
    removed: list[str]
    unusable: dict[str, BadConfig]


async def sync() -> Synced:
    """Finishes deletions and additions that were cut off. Then makes or updates the deployments, schedules, alerts of
    each shop of which one is missing or of another version: a block was edited by hand, or this version is a new one.

    A shop that is connected and has no block is left as it is: Prefect's database may be a new one.
    """
    async with locked_ledger() as engine:
        live, stored = {state.slug for state in shops.all_states(engine)}, (await store.list_shops()).keys()
        there = await pool.deployments()
        removed = sorted((stored & deleted_shops.slugs(engine) | _slugs(there) - stored) - live)
        for slug in removed:
            await _disconnect(engine, slug)
    renewed, unusable = [], {slug: shops.without_settings(slug) for slug in sorted(live - stored)}
    for slug in sorted(stored - set(removed)):
        async with locked_ledger() as engine:
            config = await store.find_shop(slug)
            if config is None:
                continue
            try:
                if isinstance(config, BadConfig):
                    raise config
                if await _connect(engine, config, checked=False, there=there):
                    renewed.append(slug)
            except BadConfig as error:
                unusable[slug] = error
    return Synced(renewed, removed, unusable)


async def connected(*, deleted: bool = False) -> set[str]:
    """Returns the slugs of all shops with a block, deployments, or a row in the ledger; with `deleted` also of those of
    which only the history is left."""
    with ledger.opened() as engine:
        slugs = {state.slug for state in shops.all_states(engine)} | (await store.list_shops()).keys()
        if deleted:
            slugs |= deleted_shops.slugs(engine)
    return slugs | _slugs(await pool.deployments())


async def renew_alerts() -> None:
    """Updates all automations, after another block was chosen for messages."""
    async with locked_ledger() as engine:
        found = [config for config in (await store.list_shops()).values() if isinstance(config, ShopConfig)]
        paused = {state.key: state.paused_because is not None for state in shops.all_states(engine)}
        for config in found:
            await alerts.renew(config, active=config.enabled and not paused.get(config.key, True))
        await _renew_shared_alerts(engine)


def gone(slug: str) -> BadConfig:
    """Returns the error that the shop was deleted meanwhile."""
    fix = "`cartum-roapp shop list` shows the shops there are"
    return BadConfig(f'there is no shop "{slug}" any more.', field="slug", fix=fix)


async def _refuse_gone(config: ShopConfig) -> None:
    stored = await store.find_shop(config.slug)
    if stored is None or (isinstance(stored, ShopConfig) and stored.key != config.key):
        raise gone(config.slug)


def _in_ledger(engine: Engine, key: str) -> tuple[bool, bool]:
    """Returns whether the ledger has the shop as connected, and whether it has anything of it, even only history."""
    with engine.connect() as connection:
        known = shops.is_known(connection, key)
    return key in {state.key for state in shops.all_states(engine)}, known


async def save(engine: Engine, config: ShopConfig, company: str, *, checked: bool = True) -> None:
    """Saves and connects the shop, under the lock of all changes. Stores the company of an account that was saved by
    hand, so that a key of another company is refused from now on."""
    await store.know_company(config.account, company)
    await store.save_shop(config)
    await _connect(engine, config, checked=checked)


async def _connect(
    engine: Engine, config: ShopConfig, *, checked: bool, there: Sequence[DeploymentResponse] = ()
) -> bool:
    """Registers the shop in the ledger and makes or updates its deployments, those that are `there` in this version
    excepted. Returns whether it has made or updated one.

    The schedules are active if the window of the first import is in the ledger, unless the shop is switched off or
    paused. With `checked` settings, what was refused before puts no sync off any more.
    """
    shops.register(engine, **config.registered)
    if checked:
        refusals.forget(engine, config.key)
    state = shops.state(engine, config.key)
    active = config.enabled and state.window_stored_at is not None and state.paused_because is None
    wanted = pool.differing(await one_shop.described(config, active=active), there)
    if not wanted:
        return False
    # The alerts first: the deployments' versions say that they are up to date. They are active also before the first
    # import, as only a success opens the window of "no success".
    await alerts.renew(config, active=config.enabled and state.paused_because is None)
    await _renew_shared_alerts(engine)
    await pool.deploy(wanted)
    if not active:
        await schedule.pause(config.slug)
        await schedule.resume_imported(engine, config.key)  # the import may have stored the window since
    return True


async def _disconnect(engine: Engine, slug: str) -> None:
    """Says it in the ledger first: wherever this is cut off, the worker's next start goes on."""
    for state in shops.all_states(engine):
        if state.slug == slug:
            deleted_shops.forget(engine, state.key, purge=False)
    await alerts.remove(slug)
    await one_shop.remove(slug)
    await store.delete_shop(slug)
    await _renew_shared_alerts(engine)


def _slugs(deployments: Sequence[DeploymentResponse]) -> set[str]:
    return {tag.removeprefix("shop:") for one in deployments for tag in one.tags if tag.startswith("shop:")}


async def _renew_shared_alerts(engine: Engine) -> None:
    await alerts.renew_shared(active=any(state.paused_because is None for state in shops.all_states(engine)))
