"""Removes an account of RO App: its block, and what the ledger has of it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Engine

from blocks import store
from cartum_roapp.config import ShopConfig
from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import accounts
from cartum_roapp.service import ledger
from deployments.saving import locked_ledger


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
