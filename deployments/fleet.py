"""Saves many shops under one lock, a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Engine

from blocks import store
from blocks.examine import conflicts
from cartum_roapp.config import ShopConfig
from cartum_roapp.config.problems import bad_config
from cartum_roapp.connection.fleet import DesiredShop
from cartum_roapp.errors import BadConfig
from deployments import form_lists, one_shop, shops
from deployments.saving import locked_ledger

#: Shops that are saved at the same time: Prefect's server is one process.
AT_ONCE = 4


async def save_fleet(
    files: Sequence[DesiredShop], progress: Callable[[int, int], None] = lambda done, of: None
) -> None:
    """Saves and connects the shops whose files differ; to be called after they were examined without a problem. What
    was saved before an error stays: the same call again does the rest. Raises BadConfig if one of the shops was changed
    by somebody else meanwhile; then none is saved."""
    differ = [one for one in files if one.changes]
    if not differ:
        return
    async with locked_ledger() as engine:
        stored = await store.list_shops()
        for one in differ:
            await _refuse_changed(one, stored)
        free, saved = asyncio.Semaphore(AT_ONCE), 0

        async def save(one: DesiredShop) -> None:
            nonlocal saved
            async with free:
                await _save(engine, one)
            saved += 1
            progress(saved, len(differ))

        # All of them end before an error is raised: nothing may be saved after the lock was given back.
        for ended in await asyncio.gather(*map(save, differ), return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended
        await form_lists.renew(engine)


async def start_imports(files: Sequence[DesiredShop], started_by: str) -> dict[str, str]:
    """Starts the first import of each new shop that is switched on, in the background. Returns the runs' ids by slug.
    Calls with the same `started_by` start them once."""
    new = [one.config for one in files if one.action == "add" and one.config is not None and one.config.enabled]
    started = {}
    for config in new:  # all imports are one flow, in which the key has to be unique
        run = await one_shop.start_import(config, f"{started_by} {config.slug}")
        started[config.slug] = str(run.id)
    return started


async def _refuse_changed(one: DesiredShop, stored: Mapping[str, ShopConfig | BadConfig]) -> None:
    assert one.config is not None
    found = stored.get(one.slug)
    now = found if isinstance(found, ShopConfig) else None
    if (now, found is not None) != (one.before, one.stored):
        fix = "Nothing was saved; repeat the command."
        raise BadConfig("somebody else has changed this shop just now.", shop=one.slug, field="slug", fix=fix)
    config = one.config
    if problems := await conflicts(config.slug, config.key, url=config.url, account=config.account, stored=stored):
        raise bad_config(problems, shop=config.slug)


async def _save(engine: Engine, one: DesiredShop) -> None:
    assert one.config is not None
    if one.stored:
        await shops.save(engine, one.config, one.company)
    else:
        await shops.save_new(engine, one.config, one.company)
