"""Checks what a person filled in against what is stored and both systems, for files, options and pages alike."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from blocks.store import list_accounts, list_shops
from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import accounts as account_rows
from cartum_roapp.ledger import deleted_shops, shop_statuses, shops
from cartum_roapp.service import ledger
from cartum_roapp.shops import AccountConfig, ShopConfig, shop_key
from cartum_roapp.shops.access import Clients, enter_account, twin
from cartum_roapp.shops.draft import Draft
from cartum_roapp.shops.examine import (
    Entered,
    already_connected,
    examine,
    no_account,
    other_account,
    same_orders,
)
from cartum_roapp.shops.problems import Problem, Problems

#: Shops that are asked at the same time; each has its own server.
AT_ONCE = 10

Accounts = Mapping[str, AccountConfig | BadConfig]
Shops = Mapping[str, ShopConfig | BadConfig]


def taken(slug: str) -> Problem:
    """Returns the problem that another shop has this slug."""
    fix = f"choose another one, or change that shop (`cartum-roapp shop edit {slug} --set KEY=VALUE`)"
    return Problem("slug", f'"{slug}" is taken.', fix)


def statuses_in_use(shop: ShopConfig | None) -> frozenset[int]:
    """Returns the ids of the statuses that the stored shop's orders have."""
    if shop is None:
        return frozenset()
    with ledger.opened() as engine:
        return shop_statuses.in_use(engine, shop.key)


async def conflicts(
    slug: str, key: str, *, url: str, account: str | None, stored: Shops | None = None
) -> list[Problem]:
    """Returns why this shop can't be saved: it is connected under another slug, or its orders are in another account.
    `stored`: all shops, where they were read just now."""
    if stored is None:
        stored = await list_shops()
    others = [shop for shop in stored.values() if not isinstance(shop, BadConfig)]
    problems = already_connected({key, shop_key(url)}, slug, others)
    if account is not None and not problems:
        with ledger.opened() as engine, engine.connect() as connection:
            bound = account_rows.of_shop(connection, key)
        problems += other_account(slug, account, bound, connected=slug in stored)
    return problems


async def examine_drafts(drafts: Sequence[Draft], clients: Clients, kept: Collection[str] = ()) -> None:
    """Completes the drafts with everything that is wrong with their values, each of which passed its rule: an unknown
    account, a shop that is connected under another slug or has its orders in another account, and what both systems
    object to. Of `kept` settings, which an edit leaves as they are, that is a warning. Many shops are asked at a time,
    and each account once. Values that are still to be chosen may be missing. Only reads."""
    stored, accounts = await list_shops(), await list_accounts()
    entering = {
        name: asyncio.create_task(enter_account(clients, account))
        for name in {str(one.values.get("account")) for one in drafts}
        if isinstance(account := accounts.get(name), AccountConfig)
    }
    free = asyncio.Semaphore(AT_ONCE)

    async def look(one: Draft) -> None:
        async with free:
            await _examine(one, clients, kept, stored, accounts, entering)

    await asyncio.gather(*map(look, drafts))


async def _examine(
    draft: Draft, clients: Clients, kept: Collection[str], stored: Shops, accounts: Accounts,
    entering: Mapping[str, asyncio.Task[Entered]],
) -> None:  # fmt: skip
    values, problems = draft.values, draft.problems
    if not draft.stored and draft.slug in stored and stored[draft.slug] != draft.config:  # a repeat finds its own
        problems.extend([taken(draft.slug)])
    account = accounts.get(name := str(values.get("account")))
    if "account" in values and account is None:
        problems.extend([no_account(name, accounts)])
    if isinstance(account, BadConfig):
        problems.add("account", f'"{name}" can\'t be used: {account.message}', account.fix or "add it again")
        account = None
    url = str(values.get("url", ""))
    key = draft.key or shop_key(url)
    if url:
        problems.extend(
            await conflicts(draft.slug, key, url=url, account=account.name if account else None, stored=stored)
        )
    found = await examine(
        values, password=draft.password, account=account, clients=clients, found=problems,
        entered=entering.get(name), in_use=statuses_in_use(draft.before),
    )  # fmt: skip
    found = found.tolerating({field for field in kept if field not in problems})
    if url and draft.before is None:
        found = replace(found, warnings=[*found.warnings, *_taken_over(draft.slug, key)])
    if url and account is not None and "url" not in problems:
        moved = draft.before is None or shop_key(draft.before.url) != shop_key(url)
        placed = found.shop_lists.newest_orders if found.shop_lists and moved else {}
        if placed:
            with ledger.opened() as engine, engine.connect() as connection:
                twins = shops.with_orders(connection, account.name, key, placed)
            found = found.also(same_orders(draft.slug, url, twins))
    if account is not None and found.account_lists is not None and not account.fingerprint:
        others = [other for other in accounts.values() if not isinstance(other, BadConfig)]
        found = found.also(twin("account", account, found.account_lists.fingerprint, others))
    draft.found, draft.problems = found, Problems(found.problems)


def _taken_over(slug: str, key: str) -> list[Problem]:
    """Returns a warning if the shop was connected before, under another slug."""
    with ledger.opened() as engine:
        former = deleted_shops.slug(engine, key)
    if former in (None, slug):
        return []
    purge = f"nothing to do; to start without it, delete it first (`cartum-roapp shop delete {former} --purge`)"
    return [Problem("slug", f'this shop was connected as "{former}" before, and takes over its history.', purge)]
