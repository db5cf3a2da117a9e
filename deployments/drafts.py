"""Saves shops as people want them, under one lock and a few at a time, and starts the imports of new ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from blocks import store
from blocks.examine import conflicts, taken
from cartum_roapp.errors import BadConfig
from cartum_roapp.shops import ShopConfig
from cartum_roapp.shops.draft import Draft
from cartum_roapp.shops.problems import bad_config
from deployments import form_lists, shops
from deployments.flow_runs import start
from deployments.saving import locked_ledger

#: Shops that are saved at the same time: Prefect's server is one process.
AT_ONCE = 4


async def save(drafts: Sequence[Draft], progress: Callable[[int, int], None] = lambda done, of: None) -> None:
    """Saves and connects the shops; to be called after they were examined without a problem. A new shop is connected
    with everything that belongs to it, or not at all. What was saved before an error stays: the same call again does
    the rest. Raises BadConfig if one of them was changed, added or deleted by somebody else meanwhile, or its address
    was taken; then none is saved."""
    async with locked_ledger() as engine:
        stored = await store.list_shops()
        wanted = [(one, config) for one in drafts if (config := one.config)]
        for one, config in wanted:
            await _refuse_changed(one, config, stored)
        free, saved = asyncio.Semaphore(AT_ONCE), 0

        async def save_one(one: Draft, config: ShopConfig) -> None:
            nonlocal saved
            async with free:
                if config.slug in stored:
                    await shops.save(engine, config, one.company, checked=one.found.shop_lists is not None)
                else:
                    await shops.save_new(engine, config, one.company)
            saved += 1
            progress(saved, len(wanted))

        # All of them end before an error is raised: nothing may be saved after the lock was given back.
        for ended in await asyncio.gather(*(save_one(*one) for one in wanted), return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended
        await form_lists.renew(engine)


async def start_imports(drafts: Iterable[Draft], started_by: str) -> dict[str, str]:
    """Starts the first import of each shop that is new, in the background. Returns the runs' ids by slug. Calls with
    the same `started_by` start them once."""
    # All imports are one flow, in which the key has to be unique.
    new = [config.slug for one in drafts if one.is_new and (config := one.config)]
    runs = {slug: await start(f"initial-import/{slug}", once=f"import: {started_by} {slug}") for slug in new}
    return {slug: str(run.id) for slug, run in runs.items()}


async def _refuse_changed(one: Draft, config: ShopConfig, stored: Mapping[str, ShopConfig | BadConfig]) -> None:
    found = stored.get(one.slug)
    now = found if isinstance(found, ShopConfig) else None
    if found != config and (now, found is not None) != (one.before, one.stored):  # a repeat finds what it has saved
        if found is None:
            raise shops.gone(one.slug)
        if not one.stored:
            raise bad_config([taken(one.slug)], shop=one.slug)
        message = "somebody else has changed this shop just now; nothing was saved."
        raise BadConfig(message, shop=one.slug, field="slug", fix="Look at its settings, then repeat.")
    if problems := await conflicts(config.slug, config.key, url=config.url, account=config.account, stored=stored):
        raise bad_config(problems, shop=config.slug)
