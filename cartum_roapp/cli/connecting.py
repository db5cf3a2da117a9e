"""Makes a saved shop of a person's input, or ends the command with everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from cartum_roapp.cli.output import bad_input, say

if TYPE_CHECKING:
    from pydantic import SecretStr

    from cartum_roapp.config import ShopConfig
    from cartum_roapp.config.problems import Problem, Problems
    from cartum_roapp.config.setting import Values
    from cartum_roapp.connection.access import Clients


def check_input(values: Values, password_stdin: bool, old: SecretStr) -> tuple[Problems, SecretStr | None]:
    """Checks the input as far as that is possible without calls. Returns the problems, and the password."""
    from cartum_roapp.cli.secrets import SHOP_PASSWORD, obtain
    from cartum_roapp.config.problems import Problems

    problems = Problems(values.problems)
    return problems, obtain(SHOP_PASSWORD, from_stdin=password_stdin, problems=problems, otherwise=old)


async def edit_shop(
    before: ShopConfig, values: Values, problems: Problems, *, password: SecretStr | None, clients: Clients
) -> tuple[ShopConfig, list[Problem]]:
    """Returns the shop, and its warnings: also what is wrong with settings that stay as they are."""
    from cartum_roapp.config import shop_key
    from deployments import shops

    config, company, warnings = await _examined(
        before, values, problems, password=password, clients=clients, kept=_kept(before, values)
    )
    if shop_key(before.url) != shop_key(config.url):
        say(f"url: taken for the same shop under a new address ({before.url} before): its orders keep their markers.")
    await shops.change(config, company, before=before)
    return config, warnings


def _kept(before: ShopConfig, values: Values) -> set[str]:
    """Returns the settings that stay as they are, and are not to be checked against another shop or account."""
    from cartum_roapp.config.shop import SHOP_FIELDS

    same = {key for key, field in SHOP_FIELDS.items() if values.good.get(key, field.default) == getattr(before, key)}
    return same if {"url", "account"} <= same else set()


async def _examined(
    before: ShopConfig,
    values: Values,
    problems: Problems,
    *,
    password: SecretStr | None,
    clients: Clients,
    kept: Collection[str],
) -> tuple[ShopConfig, str, list[Problem]]:
    """Returns the shop, the fingerprint of its account's company, and warnings. Ends the command with all that is
    wrong."""
    from blocks.examine import examine_shop
    from cartum_roapp.connection.configs import shop_config

    good = values.good
    examination = await examine_shop(
        before.slug, good, before=before, password=password, clients=clients, found=problems, kept=kept
    )
    if examination.problems or password is None or examination.account_lists is None:
        stored = password == before.password
        raise bad_input([_with_new_password(problem) if stored else problem for problem in examination.problems])
    config = shop_config(good, slug=before.slug, password=password, key=before.key)
    return config, examination.account_lists.fingerprint, examination.warnings


def _with_new_password(problem: Problem) -> Problem:
    """Returns the problem of a stored password with the way to give another one."""
    if problem.field != "password":
        return problem
    return replace(problem, fix=f"{problem.fix}; give the new one with --password-stdin, before this edit or with it")


def warn(found: list[Problem]) -> list[dict[str, str]]:
    """Prints the warnings. Returns them as the document has them."""
    for warning in found:
        say(f"Warning: {warning}")
    return [warning.as_dict() for warning in found]
