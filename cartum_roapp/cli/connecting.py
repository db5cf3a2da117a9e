"""From what a person typed to a shop that is saved, or to everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cartum_roapp.cli.output import bad_input, say

if TYPE_CHECKING:
    from cartum_roapp.config import ShopConfig
    from cartum_roapp.connection.access import Doors
    from cartum_roapp.connection.problems import Problems
    from cartum_roapp.connection.shop_file import Values


def typed(slug: str, file: Path, password_stdin: bool, old: str | None = None) -> tuple[Values, Problems, str | None]:
    """What can be said of the input without asking anybody. Ends the command for an unreadable file."""
    from cartum_roapp.cli.secrets import SHOP_PASSWORD, obtain
    from cartum_roapp.connection.problems import Problems
    from cartum_roapp.connection.refused import Refused
    from cartum_roapp.connection.rules import SLUG_FIELD, checked
    from cartum_roapp.connection.shop_file import FILE, read_shop_file

    values = read_shop_file(file)
    problems = Problems(values.problems)
    try:
        checked(SLUG_FIELD, slug)
    except Refused as refused:
        problems.add("slug", refused.message, refused.fix)
    if FILE in problems:
        raise bad_input(problems.sorted(("slug", FILE)))
    misplaced = "password" in problems
    line = next((problem for problem in problems if problem.field == "password"), None)
    password = obtain(SHOP_PASSWORD, from_stdin=password_stdin, problems=problems, otherwise=old)
    if misplaced and line is not None:
        problems.replace(line.field, line.message, line.fix)
    return values, problems, password


async def add_shop(slug: str, values: Values, problems: Problems, password: str | None, doors: Doors) -> ShopConfig:
    from blocks.store import delete_shop, list_shops, save_shop
    from deployments.shops import connect

    if slug in await list_shops():
        fix = f"choose another one, or change that shop: `cartum-roapp shop edit {slug} --from FILE.yaml`"
        problems.add("slug", f'"{slug}" is taken.', fix)
    config = await _examined(slug, None, values, problems, password=password, doors=doors)
    await save_shop(config)
    try:
        await connect(config)
    except BaseException:
        await delete_shop(slug)  # a shop is there with all that belongs to it, or not at all
        raise
    return config


async def edit_shop(
    slug: str, before: ShopConfig | None, values: Values, problems: Problems, *, password: str | None, doors: Doors
) -> ShopConfig:
    from blocks.store import save_shop
    from cartum_roapp.config import shop_key
    from deployments.shops import connect

    config = await _examined(slug, before, values, problems, password=password, doors=doors)
    if before is not None and shop_key(before.url) != shop_key(config.url):
        say(f"url: taken for the same shop under a new address ({before.url} before): its orders keep their markers.")
    await save_shop(config)
    await connect(config)
    return config


async def _examined(
    slug: str, before: ShopConfig | None, values: Values, problems: Problems, *, password: str | None, doors: Doors
) -> ShopConfig:
    """The shop, when nothing is wrong with it; ends the command with everything that is."""
    from pydantic import SecretStr

    from blocks.store import list_accounts, list_shops
    from cartum_roapp.config import shop_key
    from cartum_roapp.connection.configs import shop_config
    from cartum_roapp.connection.examine import already_connected, examine, no_account
    from cartum_roapp.errors import BadConfig

    good = values.good
    accounts = await list_accounts()
    account = accounts.get(str(good.get("account")))
    if "account" in good and account is None:
        problems.extend([no_account(good["account"], accounts)])
    if isinstance(account, BadConfig):
        problems.add("account", f'"{good["account"]}" can\'t be used: {account.message}', account.fix or "add it again")
        account = None
    if "url" in good:
        key = before.key if before else shop_key(str(good["url"]))
        others = [shop for shop in (await list_shops()).values() if not isinstance(shop, BadConfig)]
        problems.extend(already_connected(key, slug, others))
    secret = None if password is None else SecretStr(password)
    examination = await examine(good, password=secret, account=account, doors=doors, found=problems)
    if examination.problems or password is None:
        raise bad_input(examination.problems)
    return shop_config(good, slug=slug, password=password, key=before.key if before else "")


def warn(values: Values) -> list[dict[str, str]]:
    from cartum_roapp.connection.examine import warnings

    found = warnings(values.good)
    for warning in found:
        say(f"Warning: {warning.field}: {warning.message}")
    return [warning.as_dict() for warning in found]
