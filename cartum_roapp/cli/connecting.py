"""Makes a saved shop of a person's input, or ends the command with everything that is wrong with it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cartum_roapp.cli.output import bad_input, say
from cartum_roapp.cli.progress import waiting

if TYPE_CHECKING:
    from pydantic import SecretStr

    from cartum_roapp.config import ShopConfig
    from cartum_roapp.config.problems import Problem, Problems
    from cartum_roapp.config.setting import Values
    from cartum_roapp.connection.access import Clients


def check_input(
    slug: str, values: Values, password_stdin: bool, old: SecretStr | None = None
) -> tuple[Values, Problems, SecretStr | None]:
    """Checks the input as far as that is possible without calls. Returns the values, the problems, and the password.
    Ends the command if the file can't be read."""
    from cartum_roapp.cli.secrets import SHOP_PASSWORD, obtain
    from cartum_roapp.config.problems import Problems
    from cartum_roapp.connection.shop_file import FILE

    problems = Problems(values.problems)
    problems.extend(_misnamed(slug))
    if FILE in problems:
        raise bad_input(problems.sorted(("slug", FILE)))
    misplaced = "password" in problems
    line = next((problem for problem in problems if problem.field == "password"), None)
    password = obtain(SHOP_PASSWORD, from_stdin=password_stdin, problems=problems, otherwise=old)
    if misplaced and line is not None:
        problems.replace(line.field, line.message, line.fix)
    return values, problems, password


def begin_interview(slug: str, password_stdin: bool) -> None:
    """Ends the command if nobody can be asked, or if the slug is invalid."""
    from cartum_roapp.config.problems import Problem

    problems = _misnamed(slug)
    fix = "give a file; `cartum-roapp shop discover --write FILE.yaml` makes one"
    if password_stdin:
        problems.append(Problem("--from", "is missing: nobody can answer while --password-stdin reads.", fix))
    elif not (sys.stdin.isatty() and sys.stderr.isatty()):
        problems.append(Problem("--from", "is missing, and there is no terminal to ask on.", fix))
    if problems:
        raise bad_input(problems)


async def interview_shop(slug: str, clients: Clients, *, no_import: bool) -> tuple[ShopConfig, bool]:
    """Asks a person for a shop, and saves it. Returns it, and whether its import is to start now."""
    from cartum_roapp.cli.interview import Interview
    from cartum_roapp.cli.prompt import on_stderr, prompt
    from cartum_roapp.connection.questions import SAVE_AND_IMPORT
    from deployments import shops

    with on_stderr():
        asked = await Interview(slug, prompt, clients, imports=not no_import).shop()
    config = asked.config()
    with waiting("Saving"):
        await shops.add(config, asked.company_fingerprint)
    return config, asked.decision == SAVE_AND_IMPORT


def _misnamed(slug: str) -> list[Problem]:
    from cartum_roapp.config.problems import Problem
    from cartum_roapp.config.refused import Refused
    from cartum_roapp.config.shop import SLUG

    try:
        SLUG.checked(slug)
    except Refused as refused:
        return [Problem("slug", refused.reason, refused.fix)]
    return []


async def add_shop(
    slug: str, values: Values, problems: Problems, password: SecretStr | None, clients: Clients
) -> ShopConfig:
    from blocks.examine import taken
    from blocks.store import find_shop
    from deployments import shops

    if await find_shop(slug):
        problems.extend([taken(slug)])
    config, company = await _examined(slug, None, values, problems, password=password, clients=clients)
    await shops.add(config, company)
    return config


async def edit_shop(
    slug: str,
    before: ShopConfig | None,
    values: Values,
    problems: Problems,
    *,
    password: SecretStr | None,
    clients: Clients,
) -> ShopConfig:
    from cartum_roapp.config import shop_key
    from deployments import shops

    config, company = await _examined(slug, before, values, problems, password=password, clients=clients)
    if before is not None and shop_key(before.url) != shop_key(config.url):
        say(f"url: taken for the same shop under a new address ({before.url} before): its orders keep their markers.")
    await shops.change(config, company)
    return config


async def _examined(
    slug: str,
    before: ShopConfig | None,
    values: Values,
    problems: Problems,
    *,
    password: SecretStr | None,
    clients: Clients,
) -> tuple[ShopConfig, str]:
    """Returns the shop and the fingerprint of its account's company. Ends the command with everything that is wrong."""
    from blocks.examine import examine_shop
    from cartum_roapp.connection.configs import shop_config

    good = values.good
    examination = await examine_shop(slug, good, before=before, password=password, clients=clients, found=problems)
    if examination.problems or password is None or examination.account_lists is None:
        raise bad_input(examination.problems)
    config = shop_config(good, slug=slug, password=password, key=before.key if before else "")
    return config, examination.account_lists.fingerprint


def warn(values: Values) -> list[dict[str, str]]:
    from cartum_roapp.connection.examine import warnings

    found = warnings(values.good)
    for warning in found:
        say(f"Warning: {warning.field}: {warning.message}")
    return [warning.as_dict() for warning in found]
