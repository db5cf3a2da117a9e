"""Checks what a person filled in against what is stored and against both systems, for command line and UI alike."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import SecretStr

from blocks.store import list_accounts, list_shops
from cartum_roapp.config import AccountConfig, ShopConfig, shop_key
from cartum_roapp.config.problems import Problem, Problems
from cartum_roapp.connection.access import Clients, enter_account, twin
from cartum_roapp.connection.examine import (
    Entered,
    Examination,
    already_connected,
    examine,
    no_account,
    other_account,
    same_orders,
)
from cartum_roapp.connection.fleet import DesiredShop, compare, refuse_twins
from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import accounts, deleted_shops, shop_statuses, shops
from cartum_roapp.service import ledger

#: Shops that are asked at the same time; each has its own server.
AT_ONCE = 10


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
    slug: str, key: str, *, url: str, account: str | None, stored: Mapping[str, ShopConfig | BadConfig] | None = None
) -> list[Problem]:
    """Returns why this shop can't be saved: it is connected under another slug, or its orders are in another account.
    `stored`: all shops, where they were read just now."""
    if stored is None:
        stored = await list_shops()
    others = [shop for shop in stored.values() if not isinstance(shop, BadConfig)]
    problems = already_connected({key, shop_key(url)}, slug, others)
    if account is not None and not problems:
        with ledger.opened() as engine, engine.connect() as connection:
            bound = accounts.of_shop(connection, key)
        problems += other_account(slug, account, bound, connected=slug in stored)
    return problems


async def examine_shop(
    slug: str,
    values: Mapping[str, object],
    *,
    before: ShopConfig | None,
    password: SecretStr | None,
    clients: Clients,
    found: Problems,
    kept: Collection[str] = (),
    key: str = "",
) -> Examination:
    """Returns everything that is wrong with a shop's values, each of which passed its rule: an unknown account, a shop
    that is connected under another slug or has its orders in another account, and what both systems object to.

    `before` is the shop before an edit; `key` is its key where it can't be used as it is stored;
    `found` are the problems that are known already. `kept` are fields that an edit
    leaves as they are: what the systems object to there is a warning. Values that are still to be chosen may be
    missing. Only reads.
    """
    known = Known(await list_shops(), await list_accounts(), {})
    key = before.key if before else key
    return await _examined(slug, values, before, password, clients, found, known, kept, key)


async def compare_fleet(files: Sequence[DesiredShop]) -> Known:
    """Compares each file with the stored shop, and adds problems. Returns what is stored. Asks neither system."""
    known = Known(await list_shops(), await list_accounts(), {})
    refuse_twins(files)
    for one in files:
        compare(one, known.shops.get(one.slug))
    return known


async def examine_fleet(differ: Sequence[DesiredShop], known: Known, clients: Clients) -> None:
    """Checks files that differ from what is stored against both systems, many shops at a time and each account once.
    Adds problems, and completes what `save_fleet` needs. Only reads."""
    for name in sorted({str(one.values.get("account")) for one in differ}):
        if isinstance(account := known.accounts.get(name), AccountConfig):
            known.entered[name] = await enter_account(clients, account)
    free = asyncio.Semaphore(AT_ONCE)

    async def look(one: DesiredShop) -> None:
        async with free:
            key = one.before.key if one.before else ""
            examination = await _examined(
                one.slug, one.values, one.before, one.password, clients, one.problems, known, (), key
            )
        one.problems = Problems(examination.problems)
        one.warnings = examination.warnings
        one.company = examination.account_lists.fingerprint if examination.account_lists else ""

    await asyncio.gather(*map(look, differ))


@dataclass(frozen=True)
class Known:
    """All shops and accounts as they are stored, and what accounts have answered already."""

    shops: Mapping[str, ShopConfig | BadConfig]
    accounts: Mapping[str, AccountConfig | BadConfig]
    entered: dict[str, Entered]


async def _examined(
    slug: str,
    values: Mapping[str, object],
    before: ShopConfig | None,
    password: SecretStr | None,
    clients: Clients,
    found: Problems,
    known: Known,
    kept: Collection[str],
    key: str,
) -> Examination:
    accounts = known.accounts
    account = accounts.get(str(values.get("account")))
    if "account" in values and account is None:
        found.extend([no_account(values["account"], accounts)])
    if isinstance(account, BadConfig):
        found.add("account", f'"{values["account"]}" can\'t be used: {account.message}', account.fix or "add it again")
        account = None
    if "url" in values:
        url = str(values["url"])
        key = key or shop_key(url)
        name = account.name if account else None
        found.extend(await conflicts(slug, key, url=url, account=name, stored=known.shops))
    entered = known.entered.get(account.name) if account else None
    examination = await examine(
        values,
        password=password,
        account=account,
        clients=clients,
        found=found,
        entered=entered,
        in_use=statuses_in_use(before),
    )
    examination = examination.tolerating({field for field in kept if field not in found})
    if before is None and "url" in values:
        examination = replace(examination, warnings=[*examination.warnings, *_taken_over(slug, key)])
    if account is not None and "url" in values and "url" not in found:
        examination = examination.also(_same_orders(slug, key, str(values["url"]), before, account.name, examination))
    if account is None or examination.account_lists is None or account.fingerprint:
        return examination
    others = [other for other in accounts.values() if not isinstance(other, BadConfig)]
    return examination.also(twin("account", account, examination.account_lists.fingerprint, others))


def _taken_over(slug: str, key: str) -> list[Problem]:
    """Returns a warning if the shop was connected before, under another slug."""
    with ledger.opened() as engine:
        former = deleted_shops.slug(engine, key)
    if former in (None, slug):
        return []
    purge = f"nothing to do; to start without it, delete it first (`cartum-roapp shop delete {former} --purge`)"
    return [Problem("slug", f'this shop was connected as "{former}" before, and takes over its history.', purge)]


def _same_orders(
    slug: str, key: str, url: str, before: ShopConfig | None, account: str, examination: Examination
) -> list[Problem]:
    """Returns why a shop can't be connected, or moved, to this address: another one has its orders."""
    placed = examination.shop_lists.newest_orders if examination.shop_lists else {}
    if not placed or (before is not None and shop_key(before.url) == shop_key(url)):
        return []
    with ledger.opened() as engine, engine.connect() as connection:
        return same_orders(slug, url, shops.with_orders(connection, account, key, placed))
