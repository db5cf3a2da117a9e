"""Checks what a person filled in against what is stored and against both systems, for command line and UI alike."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import SecretStr

from blocks.store import list_accounts, list_shops
from cartum_roapp.config import ShopConfig, shop_key
from cartum_roapp.config.problems import Problem, Problems
from cartum_roapp.connection.access import Clients, twin
from cartum_roapp.connection.examine import Examination, already_connected, examine, no_account, other_account
from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger.placement import accounts_of
from cartum_roapp.service import ledger


def taken(slug: str) -> Problem:
    """Returns the problem that another shop has this slug."""
    fix = f"choose another one, or change that shop: `cartum-roapp shop edit {slug} --from FILE.yaml`"
    return Problem("slug", f'"{slug}" is taken.', fix)


async def conflicts(slug: str, key: str, *, url: str, account: str | None) -> list[Problem]:
    """Returns why this shop can't be saved: it is connected under another slug, or its orders are in another
    account."""
    stored = await list_shops()
    others = [shop for shop in stored.values() if not isinstance(shop, BadConfig)]
    problems = already_connected({key, shop_key(url)}, slug, others)
    if account is not None and not problems:
        with ledger.opened() as engine, engine.connect() as connection:
            bound = accounts_of(connection, key)
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
) -> Examination:
    """Returns everything that is wrong with a shop's values, each of which passed its rule: an unknown account, a shop
    that is connected under another slug or has its orders in another account, and what both systems object to.

    `before` is the shop before an edit; `found` are the problems that are known already. Values that are still to be
    chosen may be missing. Only reads.
    """
    accounts = await list_accounts()
    account = accounts.get(str(values.get("account")))
    if "account" in values and account is None:
        found.extend([no_account(values["account"], accounts)])
    if isinstance(account, BadConfig):
        found.add("account", f'"{values["account"]}" can\'t be used: {account.message}', account.fix or "add it again")
        account = None
    if "url" in values:
        url = str(values["url"])
        key = before.key if before else shop_key(url)
        found.extend(await conflicts(slug, key, url=url, account=account.name if account else None))
    examination = await examine(values, password=password, account=account, clients=clients, found=found)
    if account is None or examination.account_lists is None or account.fingerprint:
        return examination
    known = [other for other in accounts.values() if not isinstance(other, BadConfig)]
    return examination.also(twin("account", account, examination.account_lists.fingerprint, known))
