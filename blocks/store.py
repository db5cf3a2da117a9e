"""Saves, reads and deletes shops and accounts as block documents of Prefect: a shop's under its slug, an account's
under its name.

All functions are coroutines, call the Prefect server that the environment names, and are idempotent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import httpx
from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import BlockDocument

from blocks.account import RoAppAccount
from blocks.pages import every_row
from blocks.shop import CartumShop
from cartum_roapp.errors import BadConfig, Retryable
from cartum_roapp.shops import AccountConfig, ShopConfig, ShopSettings
from cartum_roapp.shops.configs import stored_account, stored_shop

_KINDS = (CartumShop, RoAppAccount)


async def register() -> None:
    """Registers our block types with the server, so that its UI offers their forms."""
    async with get_client() as client:
        for kind in _KINDS:
            await kind.aregister_type_and_schema(client=client)


async def save_shop(config: ShopConfig) -> None:
    """Saves the shop under its slug. Replaces an earlier one."""
    await CartumShop.of(config).asave(config.slug, overwrite=True)


async def save_account(config: AccountConfig) -> None:
    """Saves the account under its name. Replaces an earlier one."""
    await RoAppAccount.of(config).asave(config.name, overwrite=True)


async def know_company(name: str, fingerprint: str) -> None:
    """Saves the fingerprint of an account's company if it is not known yet."""
    account = await load_account(name)
    if fingerprint and not account.fingerprint:
        await save_account(account.model_copy(update={"fingerprint": fingerprint}))


async def load_shop(slug: str) -> ShopConfig:
    """Returns the shop, with each value checked again. Raises BadConfig if there is none (field `slug`), or a value is
    bad."""
    return _shop(slug, dict(await _all(CartumShop, [slug])).get(slug))


async def find_shop(slug: str) -> ShopConfig | BadConfig | None:
    """Returns the shop as `list_shops` has it; None if there is none."""
    return (await list_shops([slug])).get(slug)


async def raw_shop(slug: str) -> Mapping[str, Any]:
    """Returns the values of the shop's block as they are stored, secrets among them; {} if there is none."""
    return dict(await _all(CartumShop, [slug])).get(slug, {})


async def raw_account(name: str) -> Mapping[str, Any]:
    """Returns the values of the account's block as they are stored, its key among them; {} if there is none."""
    return dict(await _all(RoAppAccount, [name])).get(name, {})


async def load_account(name: str) -> AccountConfig:
    """Returns the account, with each value checked again. Raises BadConfig if there is none (field `account`), or a
    value is bad."""
    return _account(name, dict(await _all(RoAppAccount, [name])).get(name))


async def list_shops(slugs: Collection[str] | None = None) -> dict[str, ShopConfig | BadConfig]:
    """Returns all shops, or those of `slugs` that exist, sorted by slug. For a shop that can't be used as it is stored,
    returns the error that says why."""
    return {slug: _checked(slug, stored) for slug, stored in await _all(CartumShop, slugs)}


async def list_accounts() -> dict[str, AccountConfig | BadConfig]:
    """Returns all accounts by name, like `list_shops`."""
    found: dict[str, AccountConfig | BadConfig] = {}
    for name, stored in await _all(RoAppAccount):
        try:
            found[name] = stored_account(stored, name=name)
        except BadConfig as error:
            found[name] = error
    return found


async def settings_of(slug: str, likely: str | None = None) -> ShopSettings:
    """Returns the shop and its account. `likely`: the account's name, if it is known, so that one call reads both.
    Raises BadConfig like `load_shop` and `load_account`."""
    if likely is None:
        shop = await load_shop(slug)
        return ShopSettings(shop=shop, account=await load_account(shop.account))
    found = {(one.block_type_name, one.name): one.data for one in await _documents(_KINDS, {slug, likely})}
    shop = _shop(slug, found.get((CartumShop.get_block_type_name(), slug)))
    if shop.account != likely:
        return await settings_of(slug)
    return ShopSettings(shop=shop, account=_account(likely, found.get((RoAppAccount.get_block_type_name(), likely))))


async def shops_now(slugs: Collection[str]) -> dict[str, ShopConfig | BadConfig]:
    """Returns what `list_shops` does. Raises Retryable where Prefect's server does not answer."""
    try:
        return await list_shops(slugs)
    except httpx.HTTPError as error:
        raise Retryable(f"Prefect's server does not answer ({type(error).__name__}).") from error


async def delete_shop(slug: str) -> bool:
    """Deletes the shop's settings, not its deployments and history. Returns False if there was no such shop."""
    return await _delete(CartumShop, slug)


async def delete_account(name: str) -> bool:
    """Deletes the account's settings with its key. Returns False if there was no such account."""
    return await _delete(RoAppAccount, name)


async def _all(kind: type[Block], names: Collection[str] | None = None) -> list[tuple[str, Mapping[str, Any]]]:
    return sorted((document.name, document.data) for document in await _documents([kind], names) if document.name)


async def _documents(kinds: Collection[type[Block]], names: Collection[str] | None) -> list[BlockDocument]:
    # Not `read_block_documents_by_type`: the server returns that list only as a whole.
    wanted = {} if names is None else {"block_documents": {"name": {"any_": sorted(names)}}}
    types = {"slug": {"any_": [kind.get_block_type_slug() for kind in kinds]}}
    async with get_client() as client:

        async def page(limit: int, offset: int) -> list[BlockDocument]:
            body = {**wanted, "block_types": types, "include_secrets": True, "limit": limit, "offset": offset}
            answer = await client.request("POST", "/block_documents/filter", json=body)
            return [BlockDocument.model_validate(one) for one in answer.json()]

        return await every_row(page)


def _shop(slug: str, stored: Mapping[str, Any] | None) -> ShopConfig:
    if stored is None:
        fix = "`cartum-roapp shop list` shows the shops there are"
        raise BadConfig(f'there is no shop "{slug}".', field="slug", fix=fix)
    return stored_shop(stored, slug=slug)


def _account(name: str, stored: Mapping[str, Any] | None) -> AccountConfig:
    if stored is None:
        fix = f"add it (`cartum-roapp account add {name}`)"
        raise BadConfig(f'there is no account "{name}".', field="account", fix=fix)
    return stored_account(stored, name=name)


def _checked(slug: str, stored: Mapping[str, Any]) -> ShopConfig | BadConfig:
    try:
        return stored_shop(stored, slug=slug)
    except BadConfig as error:
        return error


async def _delete(kind: type[Block], name: str) -> bool:
    try:
        await kind.adelete(name)
    except ValueError:
        return False
    return True
