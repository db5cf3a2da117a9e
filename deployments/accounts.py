"""Connects an account of RO App, gives it a new key, and removes it: its block, and what the ledger has of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr
from sqlalchemy import Engine

from blocks import store
from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import accounts
from cartum_roapp.service import ledger
from cartum_roapp.shops import AccountConfig, ShopConfig
from cartum_roapp.shops.access import Clients, greet_account, other_company, twin
from cartum_roapp.shops.account import ACCOUNT_FIELDS
from cartum_roapp.shops.configs import account_config
from cartum_roapp.shops.problems import Problem, Problems
from deployments.saving import locked_ledger


@dataclass(frozen=True)
class Connected:
    """The account as it is saved, None where `problems` say why it is not; its company as RO App describes it; whether
    it was there before."""

    config: AccountConfig | None
    problems: list[Problem]
    company: Mapping[str, object] = field(default_factory=dict)
    updated: bool = False


async def connect(name: str, base_url: str | None, key: SecretStr, clients: Clients) -> Connected:
    """Tries the key, and saves the account. Without an address it keeps the one that it has. A key of another company
    than the account was connected to is refused, and a company that is connected under another name."""
    stored = await store.raw_account(name)
    address = base_url or stored.get("base_url") or ACCOUNT_FIELDS["base_url"].default
    new, problems = account_config(name, address, key)
    if new is None:
        return Connected(None, problems)
    company, problem = await greet_account(clients, new)
    if company is None:
        return Connected(None, [problem] if problem else [])
    config = new.model_copy(update={"fingerprint": str(company.get("created_at") or "")})
    async with locked_ledger():
        stored = await store.raw_account(name)  # also one that can't be used as it is stored has a company
        if problems := _of_another_company(config, stored.get("fingerprint"), await store.list_accounts()):
            return Connected(None, problems)
        await store.save_account(config)
    return Connected(config, [], company, bool(stored))


def _of_another_company(
    new: AccountConfig, before: str | None, known: Mapping[str, AccountConfig | BadConfig]
) -> list[Problem]:
    found = Problems()
    if before and before != new.fingerprint:
        why = f'belongs to another company than "{new.name}" was connected to.'
        found.add("api_key", why, other_company(new.name))
    usable = [one for one in known.values() if isinstance(one, AccountConfig)]
    found.extend(twin("name", new, new.fingerprint, usable))
    return list(found)


async def check_unused(name: str) -> None:
    """Raises BadConfig with the field `name` where there is no such account, while shops use it, and where the ledger
    has the history of deleted ones: another company may get the same name."""
    with ledger.opened() as engine:
        await _check_unused(engine, name)


async def delete(name: str) -> None:
    """Deletes the account. Raises BadConfig like `check_unused`."""
    async with locked_ledger() as engine:
        await _check_unused(engine, name)
        await store.delete_account(name)
        with engine.begin() as connection:
            accounts.forget(connection, name)


async def _check_unused(engine: Engine, name: str) -> None:
    with engine.connect() as connection:
        connected, deleted = accounts.shops_of(connection, name)
        known = accounts.is_known(connection, name)
    stored = await store.list_shops()
    # A shop that can't be used as it is stored counts by what the ledger knows of it.
    used = {slug for slug, shop in stored.items() if isinstance(shop, ShopConfig) and shop.account == name}
    if used := used | set(connected):
        raise _refused(name, "is used by", used, "Delete them first")
    if deleted:
        raise _refused(name, "has the history of deleted shops", deleted, "Remove it first", purge=True)
    if not known and name not in await store.list_accounts():
        fix = "`cartum-roapp account list` shows the accounts there are"
        raise BadConfig(f'there is no account "{name}".', field="name", fix=fix)


def _refused(name: str, why: str, slugs: Collection[str], fix: str, *, purge: bool = False) -> BadConfig:
    named = sorted(slugs)
    command = f"`cartum-roapp shop delete {named[0]}{' --purge' if purge else ''}`"
    return BadConfig(f'"{name}" {why}: {", ".join(named)}.', field="name", fix=f"{fix}: {command}")
