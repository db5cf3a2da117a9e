"""Checked values → ShopConfig and AccountConfig; stored values are checked again before they are used."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import SecretStr

from cartum_roapp.config import AccountConfig, ShopConfig, shop_key
from cartum_roapp.connection.problems import Problem, Problems, bad_config
from cartum_roapp.connection.refused import Refused
from cartum_roapp.connection.rules import API_KEY, BASE_URL, PASSWORD, SHOP_FIELDS, SLUG_FIELD, Field, checked
from cartum_roapp.connection.shop_file import check_values


def shop_config(good: Mapping[str, object], *, slug: str, password: str, key: str = "") -> ShopConfig:
    """The shop from values that passed their rules (all required ones are there). Without a `key` it is
    derived from the URL; an edited shop keeps the one it has."""
    return ShopConfig.model_validate(
        {**good, "slug": slug, "password": SecretStr(password), "key": key or shop_key(str(good["url"]))}
    )


def stored_shop(stored: Mapping[str, object], *, slug: str) -> ShopConfig:
    """The shop from what a block holds, every value checked again: Prefect's UI and REST save anything.

    Raises BadConfig that names each bad field, what is wrong with it and the fix.
    """
    filled = {name: stored.get(name) for name in SHOP_FIELDS}
    for name, field in SHOP_FIELDS.items():
        if not field.required and filled[name] in (None, ""):
            del filled[name]
    values = check_values(filled)
    problems = Problems(values.problems)
    password = _check(problems, "password", PASSWORD, stored.get("password"))
    key = str(stored.get("key") or "")
    if key and not (len(key) == 6 and key.isascii() and key.isalpha() and key.islower()):
        problems.add("key", "is not six letters a–z.", "empty it: it is then derived from the shop's address")
    name = _check(problems, "slug", SLUG_FIELD, slug)
    if problems:
        raise bad_config(problems, shop=slug, entity="block")
    return shop_config(values.good, slug=name, password=password, key=key)


def stored_account(stored: Mapping[str, object], *, name: str) -> AccountConfig:
    """The account from what a block holds, checked again. Raises BadConfig like stored_shop."""
    config, problems = account_config(
        name, stored.get("base_url"), stored.get("api_key"), fingerprint=str(stored.get("fingerprint") or "")
    )
    if config is None:
        raise bad_config(problems, entity=f"account {name}")
    return config


def account_config(
    name: object, base_url: object, api_key: object, *, fingerprint: str = ""
) -> tuple[AccountConfig | None, list[Problem]]:
    """The account from what was typed, or all that is wrong with it."""
    problems = Problems()
    checked_name = _check(problems, "name", SLUG_FIELD, name)
    checked_url = _check(problems, "base_url", BASE_URL, base_url)
    checked_key = _check(problems, "api_key", API_KEY, api_key)
    if problems:
        return None, list(problems)
    return (
        AccountConfig(name=checked_name, base_url=checked_url, api_key=SecretStr(checked_key), fingerprint=fingerprint),
        [],
    )


def _check(problems: Problems, name: str, field: Field, value: object) -> str:
    """The value in its stored form; "" with a problem noted when it breaks its rule."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    try:
        return str(checked(field, value))
    except Refused as refused:
        problems.add(name, refused.message, refused.fix)
        return ""
