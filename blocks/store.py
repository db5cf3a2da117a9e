"""Saves, reads and deletes shops, accounts and logins as block documents of Prefect: a shop's under its slug, an
account's under its name. A login is identified by the id of its block.

All functions are coroutines, call the Prefect server that the environment names, and are idempotent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import BlockDocument
from prefect.exceptions import ObjectNotFound
from pydantic import SecretStr

from blocks.account import RoAppAccount
from blocks.login import CartumLogin
from blocks.pages import every_row
from blocks.shop import CartumShop
from cartum_roapp.config import AccountConfig, ShopConfig, ShopSettings, shop_key
from cartum_roapp.config.refused import Refused
from cartum_roapp.config.shop import SHOP_FIELDS
from cartum_roapp.connection.configs import stored_account, stored_shop
from cartum_roapp.errors import BadConfig, Retryable


@dataclass(frozen=True, slots=True)
class Login:
    """A login as it is stored, not checked. Empty fields are ""."""

    id: str
    name: str
    url: str
    login: str
    password: SecretStr


async def register() -> None:
    """Registers our block types with the server, so that its UI offers their forms."""
    async with get_client() as client:
        for kind in (CartumShop, RoAppAccount, CartumLogin):
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
    found = await find_shop(slug)
    if found is None:
        fix = "`cartum-roapp shop list` shows the shops there are"
        raise BadConfig(f'there is no shop "{slug}".', field="slug", fix=fix)
    if isinstance(found, BadConfig):
        raise found
    return found


async def find_shop(slug: str) -> ShopConfig | BadConfig | None:
    """Returns the shop as `list_shops` has it; None if there is none."""
    return (await list_shops([slug])).get(slug)


async def load_account(name: str) -> AccountConfig:
    """Returns the account, with each value checked again. Raises BadConfig if there is none (field `account`), or a
    value is bad."""
    stored = dict(await _all(RoAppAccount, [name])).get(name)
    if stored is None:
        fix = f"add it: `cartum-roapp account add {name}`"
        raise BadConfig(f'there is no account "{name}".', field="account", fix=fix)
    return stored_account(stored, name=name)


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


async def load_login(id: str) -> Login | None:
    """Returns the login with this block id; None if there is none, or if it is the id of another type of block."""
    document = await _by_id(CartumLogin, id)
    if document is None:
        return None
    url, login, password = (str(document.data.get(key) or "") for key in ("url", "login", "password"))
    return Login(id, document.name or "", url, login, SecretStr(password))


async def account_name(id: str) -> str | None:
    """Returns the name of the account with this block id; None like `load_login`."""
    document = await _by_id(RoAppAccount, id)
    return document.name if document else None


async def account_id(name: str) -> str | None:
    """Returns the id of the account's block; None if there is none."""
    async with get_client() as client:
        try:
            document = await client.read_block_document_by_name(name, RoAppAccount.get_block_type_slug())
        except ObjectNotFound:
            return None
    return str(document.id)


async def settings_of(slug: str) -> ShopSettings:
    """Returns the shop and its account. Raises BadConfig like `load_shop` and `load_account`."""
    shop = await load_shop(slug)
    return ShopSettings(shop=shop, account=await load_account(shop.account))


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


async def delete_logins(keys: Collection[str]) -> None:
    """Deletes all logins whose address results in one of these shop keys."""
    for name, stored in await _all(CartumLogin):
        try:
            url = str(SHOP_FIELDS["url"].checked(stored.get("url")))
        except Refused:
            continue
        if shop_key(url) in keys:
            await _delete(CartumLogin, name)


async def _by_id(kind: type[Block], id: str) -> BlockDocument | None:
    async with get_client() as client:
        try:
            document = await client.read_block_document(UUID(id), include_secrets=True)
        except (ObjectNotFound, ValueError):
            return None
    found = document.block_type.slug if document.block_type else None
    return document if found == kind.get_block_type_slug() else None


async def _all(kind: type[Block], names: Collection[str] | None = None) -> list[tuple[str, Mapping[str, Any]]]:
    # Not `read_block_documents_by_type`: the server returns that list only as a whole.
    wanted = {} if names is None else {"block_documents": {"name": {"any_": sorted(names)}}}
    kinds = {"slug": {"any_": [kind.get_block_type_slug()]}}
    async with get_client() as client:

        async def page(limit: int, offset: int) -> list[BlockDocument]:
            body = {**wanted, "block_types": kinds, "include_secrets": True, "limit": limit, "offset": offset}
            answer = await client.request("POST", "/block_documents/filter", json=body)
            return [BlockDocument.model_validate(one) for one in answer.json()]

        found = await every_row(page)
    return sorted((document.name, document.data) for document in found if document.name)


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
