"""Makes ShopConfig and AccountConfig of checked values. Stored values are checked again before they are used."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import SecretStr

from cartum_roapp.shops import AccountConfig, ShopConfig, shop_key
from cartum_roapp.shops.account import ACCOUNT_FIELDS
from cartum_roapp.shops.problems import Problem, Problems, bad_config
from cartum_roapp.shops.setting import check, without_empty
from cartum_roapp.shops.shop import PASSWORD, SHOP_FIELDS, SLUG

_STORED = {**SHOP_FIELDS, "password": PASSWORD, "slug": SLUG}


def shop_config(good: Mapping[str, object], *, slug: str, password: SecretStr, key: str = "") -> ShopConfig:
    """Returns the shop from values that passed their rules, all required ones among them. Without a `key` it is derived
    from the URL; an edited shop keeps its key."""
    return ShopConfig.model_validate(
        {**good, "slug": slug, "password": password, "key": key or shop_key(str(good["url"]))}
    )


def stored_shop(stored: Mapping[str, object], *, slug: str) -> ShopConfig:
    """Returns the shop from a block's values, each checked again: Prefect's UI and REST save anything.

    Raises BadConfig that names each bad field, what is wrong with it and the fix.
    """
    filled = {**{name: stored.get(name) for name in _STORED}, "slug": slug}
    values = check(without_empty(filled, _STORED), _STORED)
    problems = Problems(values.problems)
    key = str(stored.get("key") or "")
    if key and not (len(key) == 6 and key.isascii() and key.isalpha() and key.islower()):
        problems.add("key", "is not six letters a–z.", "empty it: it is then derived from the shop's address")
    if problems:
        raise bad_config(problems, shop=slug, entity="block")
    return ShopConfig.model_validate({**values.good, "key": key or shop_key(str(values.good["url"]))})


def stored_account(stored: Mapping[str, object], *, name: str) -> AccountConfig:
    """Returns the account from a block's values, checked again. Raises BadConfig like stored_shop."""
    config, problems = account_config(
        name, stored.get("base_url"), stored.get("api_key"), fingerprint=str(stored.get("fingerprint") or "")
    )
    if config is None:
        raise bad_config(problems, entity=f"account {name}")
    return config


def account_config(
    name: object, base_url: object, api_key: object, *, fingerprint: str = ""
) -> tuple[AccountConfig | None, list[Problem]]:
    """Returns the account from what was typed, or None with all its problems."""
    values = check({"name": name, "base_url": base_url, "api_key": api_key}, ACCOUNT_FIELDS)
    if values.problems:
        return None, values.problems
    return AccountConfig.model_validate({**values.good, "fingerprint": fingerprint}), []
