"""Connects, edits, pauses, resumes and disconnects a shop, with everything that belongs to it: its block, its row in
the ledger, its deployments and its alerts.

Every change of a shop holds one lock over all processes of the ledger, so that what was checked is still true when it
is saved. All functions are idempotent.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from prefect.client.orchestration import get_client
from sqlalchemy import Engine

from blocks import store
from blocks.examine import conflicts, taken
from cartum_roapp.config import ShopConfig
from cartum_roapp.config.problems import bad_config
from cartum_roapp.connection.status_match import StatusMatch
from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import deleted_shops, refusals, shops
from cartum_roapp.service import ledger
from deployments import alerts, form_lists, one_shop, pool
from deployments.saving import locked_ledger
from tasks import schedule


async def add(config: ShopConfig, company: str) -> None:
    """Saves and connects a new shop, with everything that belongs to it, or not at all. `company` is the fingerprint of
    its account's company. Raises BadConfig if its slug was taken, or the shop was connected, meanwhile."""
    async with locked_ledger() as engine:
        there = await store.find_shop(config.slug)
        if there not in (None, config):
            raise bad_config([taken(config.slug)], shop=config.slug)
        await _refuse_conflicts(config)
        if there is None:
            await save_new(engine, config, company, leftovers=config.slug in await connected())
        else:
            await save(engine, config, company)
        await form_lists.renew(engine)


async def save_new(engine: Engine, config: ShopConfig, company: str, *, leftovers: bool) -> None:
    """Saves and connects a new shop, or not at all, under the lock of all changes. `leftovers`: of a shop of this slug
    there are deployments, or a row in the ledger."""
    live, known = _in_ledger(engine, config.key)
    try:
        await save(engine, config, company)
    except BaseException:
        with suppress(Exception):  # the worker's next start removes what is left without a block
            await store.delete_shop(config.slug)
            if not leftovers:
                await alerts.remove(config.slug)
                await one_shop.remove(config.slug)
            if not live:
                deleted_shops.forget(engine, config.key, purge=not known)
        raise


async def change(config: ShopConfig, company: str, *, before: ShopConfig | None = None, checked: bool = True) -> None:
    """Saves a shop's new settings and connects it with them. `before`: what the new settings were made of; None: of
    nothing that was stored. `checked`: both systems were asked, so what was refused before is tried again. Raises
    BadConfig if the shop was deleted or changed, or its new address was taken, meanwhile."""
    async with locked_ledger() as engine:
        await _refuse_gone(config)
        if before is not None and await store.find_shop(config.slug) != before:
            fix = "Look at its settings, then repeat."
            raise BadConfig("somebody else has changed this shop just now.", shop=config.slug, field="slug", fix=fix)
        await _refuse_conflicts(config)
        await save(engine, config, company, checked=checked)


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
        await _disconnect(engine, slug, purge=purge)
        await form_lists.renew(engine)


@dataclass(frozen=True)
class Synced:
    """Slugs of shops whose deployments were updated, and of shops that had no block any more and were removed; shops
    that can't be connected as they are stored (slug → why)."""

    renewed: list[str]
    removed: list[str]
    unusable: dict[str, BadConfig]


async def sync() -> Synced:
    """Updates deployments, schedules and alerts of all shops to their blocks: after blocks were edited or deleted by
    hand, after deployments were changed, after an upgrade.

    A shop without a block is disconnected like a deleted one. A shop that can't be connected is paused in Prefect.
    """
    renewed, removed, unusable = [], [], {}
    for slug in await store.list_shops():
        async with locked_ledger() as engine:
            config = await store.find_shop(slug)
            if config is None:
                continue
            try:
                if isinstance(config, BadConfig):
                    raise config
                await _connect(engine, config, checked=False)
            except BadConfig as error:
                unusable[slug] = error
                await schedule.pause(slug)
            else:
                renewed.append(slug)
    # In this order, because a shop that is added meanwhile gets its block first.
    there = await connected()
    for slug in sorted(there - (await store.list_shops()).keys()):
        async with locked_ledger() as engine:
            if await store.find_shop(slug) is None:
                await _disconnect(engine, slug, purge=False)
                removed.append(slug)
    return Synced(renewed, removed, unusable)


async def connected(*, deleted: bool = False) -> set[str]:
    """Returns the slugs of all shops with a block, deployments, or a row in the ledger; with `deleted` also of those of
    which only the history is left."""
    with ledger.opened() as engine:
        slugs = {state.slug for state in shops.all_states(engine)} | (await store.list_shops()).keys()
        if deleted:
            slugs |= deleted_shops.slugs(engine)
    async with get_client() as client:
        ours = await pool.deployments(client)
    return slugs | {tag.removeprefix("shop:") for one in ours for tag in one.tags if tag.startswith("shop:")}


async def renew_alerts() -> None:
    """Updates all automations, after another block was chosen for messages."""
    async with locked_ledger() as engine:
        found = [config for config in (await store.list_shops()).values() if isinstance(config, ShopConfig)]
        paused = {state.key: state.paused_because is not None for state in shops.all_states(engine)}
        for config in found:
            await alerts.renew(config, active=config.enabled and not paused.get(config.key, True))
        await _renew_shared_alerts(engine)


async def _refuse_gone(config: ShopConfig) -> None:
    stored = await store.find_shop(config.slug)
    if stored is None or (isinstance(stored, ShopConfig) and stored.key != config.key):
        fix = "`cartum-roapp shop list` shows the shops there are"
        raise BadConfig(f'there is no shop "{config.slug}" any more.', field="slug", fix=fix)


async def _refuse_conflicts(config: ShopConfig) -> None:
    if problems := await conflicts(config.slug, config.key, url=config.url, account=config.account):
        raise bad_config(problems, shop=config.slug)


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


async def _connect(engine: Engine, config: ShopConfig, *, checked: bool) -> None:
    """Registers the shop in the ledger and makes or updates its deployments.

    The schedules are active if the window of the first import is in the ledger, unless the shop is switched off or
    paused. With `checked` settings, what was refused before puts no sync off any more.
    """
    shops.register(engine, **config.registered)
    if checked:
        refusals.forget(engine, config.key)
    state = shops.state(engine, config.key)
    active = config.enabled and state.window_stored_at is not None and state.paused_because is None
    await one_shop.deploy(config, active=active)
    if not active:
        await schedule.pause(config.slug)
    if config.enabled:
        await schedule.resume_imported(engine, config.key)  # the import may have stored the window since
    # Also active before the first import: only a success opens the window of "no success".
    await alerts.renew(config, active=config.enabled and state.paused_because is None)
    await _renew_shared_alerts(engine)


async def _disconnect(engine: Engine, slug: str, *, purge: bool) -> None:
    """Deletes the block first and the ledger's row last, so that after a kill `sync` finds a shop without a block and
    removes the rest."""
    stored = await store.find_shop(slug)
    keys = {state.key for state in shops.all_states(engine) if state.slug == slug}
    if purge:
        keys |= set(deleted_shops.purge(engine, slug))
    if isinstance(stored, ShopConfig):
        keys.add(stored.key)
    await store.delete_shop(slug)
    await alerts.remove(slug)
    await one_shop.remove(slug)
    for key in keys:
        deleted_shops.forget(engine, key, purge=purge)
    await _renew_shared_alerts(engine)


async def _renew_shared_alerts(engine: Engine) -> None:
    await alerts.renew_shared(active=any(state.paused_because is None for state in shops.all_states(engine)))
