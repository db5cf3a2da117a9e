"""`cartum-roapp shop check | discover`: reads both systems and changes nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartum_roapp.cli.arguments import PasswordStdin, Slug, example
from cartum_roapp.cli.output import BAD_INPUT, FAILED, CommandEnd, Json, bad_input, show
from cartum_roapp.cli.progress import ASKING, waiting
from cartum_roapp.draft import write_atomically

if TYPE_CHECKING:
    from pydantic import SecretStr

    from cartum_roapp.config import ShopConfig
    from cartum_roapp.connection.access import Clients
    from cartum_roapp.connection.examine import Examination
    from cartum_roapp.connection.lists import AccountLists, ShopLists

app = typer.Typer()


@app.command("check", epilog=example("shop check my-shop"))
def check(slug: Slug, json: Json = False) -> None:
    """Check with both systems whether the shop's settings are still valid, and print a line for each. If one is not
    valid, its line has the fix, and the command ends with 1."""
    from cartum_roapp.cli.backend import serving
    from cartum_roapp.connection.checklist import as_error_fields, checklist
    from cartum_roapp.ledger import catalogue
    from cartum_roapp.service import ledger

    with serving() as backend:
        config, examination = _examine_stored(slug, backend.clients())
        with ledger.opened() as engine, engine.connect() as connection:
            writes = catalogue.product_writes(connection, config.account)
    checks = checklist(config, examination, writes)
    problems = as_error_fields(checks)
    document: dict[str, Any] = {"slug": slug, "ok": not problems, "checks": [line.as_dict() for line in checks]}
    if problems:
        count = len(problems)
        end = CommandEnd(FAILED, f"{count} {'check' if count == 1 else 'checks'} of {slug} failed.", document=document)
        document["error"] = {
            "kind": end.kind,
            "message": end.message,
            "fields": [problem.as_dict() for problem in problems],
        }
    show(document, lambda: "\n".join(map(str, checks)))
    if problems:
        raise typer.Exit(FAILED)


@app.command(
    "discover", epilog=example("shop discover --url https://shop.example --login api --account main --write shop.yaml")
)
def discover(
    *,
    url: Annotated[str, typer.Option("--url", help="The shop's address.")],
    login: Annotated[str, typer.Option("--login", help="The admin's user name.")],
    account: Annotated[str, typer.Option("--account", help="The RO App account that is to get the orders.")],
    write: Annotated[Path, typer.Option("--write", metavar="SLUG.yaml", help="Write this file.")],
    password_stdin: PasswordStdin = False,
    name: Annotated[str | None, typer.Option("--name", help="The shop's name (default: its host).")] = None,
    platform: Annotated[str, typer.Option("--platform", help="cartum or horoshop.")] = "cartum",
    json: Json = False,
) -> None:
    """Write a file to fill in, with likely values and everything that a new shop can choose from."""
    from urllib.parse import urlsplit

    from cartum_roapp.cli.backend import serving
    from cartum_roapp.cli.secrets import SHOP_PASSWORD, obtain
    from cartum_roapp.config.problems import Problems
    from cartum_roapp.config.refused import Refused
    from cartum_roapp.config.setting import check
    from cartum_roapp.config.shop import SHOP_FIELDS, SLUG
    from cartum_roapp.connection.written import template

    fields = {key: SHOP_FIELDS[key] for key in ("name", "platform", "url", "login", "account")}
    typed = {"name": name or urlsplit(url).hostname or "shop", "platform": platform, "url": url, "login": login}
    values = check({**typed, "account": account}, fields)
    problems = Problems(values.problems)
    try:
        SLUG.checked(write.stem)
    except Refused as refused:
        problems.add("--write", refused.reason, f"name the file SLUG.yaml: {refused.fix}")
    if write.exists():
        problems.add("--write", "the file already exists.", "name a new file, or remove that one first")
    password = obtain(SHOP_PASSWORD, from_stdin=password_stdin, problems=problems)
    if problems or password is None:
        raise bad_input(list(problems), saved="Nothing was written.")
    with serving() as backend, waiting(ASKING):
        shop, roapp = asyncio.run(_discover(values.good, password, backend.clients()))
    _written(write, template(values.good, shop, roapp))
    said = f"{write} is written: read it through, then `cartum-roapp shop apply {write}`"
    show({"written": str(write)}, lambda: said)


def _examine_stored(slug: str, clients: Clients) -> tuple[ShopConfig, Examination]:
    with waiting(ASKING):
        return asyncio.run(_examined(slug, clients))


async def _examined(slug: str, clients: Clients) -> tuple[ShopConfig, Examination]:
    from blocks.examine import statuses_in_use
    from blocks.store import load_account, load_shop
    from cartum_roapp.config.problems import Problem
    from cartum_roapp.connection.examine import examine
    from cartum_roapp.errors import BadConfig

    config = await load_shop(slug)
    found = []
    try:
        account = await load_account(config.account)
    except BadConfig as error:
        account = None
        found.append(Problem("account", error.message, error.fix or "add it again"))
    values = config.model_dump(exclude={"password"}, exclude_none=True)
    return config, await examine(
        values,
        password=config.password,
        account=account,
        clients=clients,
        found=found,
        in_use=statuses_in_use(config),
    )


async def _discover(good: dict[str, object], password: SecretStr, clients: Clients) -> tuple[ShopLists, AccountLists]:
    from blocks.store import list_accounts
    from cartum_roapp.connection.examine import examine, no_account
    from cartum_roapp.errors import BadConfig

    accounts = await list_accounts()
    account = accounts.get(str(good["account"]))
    found = [no_account(good["account"], accounts)] if account is None else []
    if isinstance(account, BadConfig):
        raise account
    access = {key: good[key] for key in ("url", "login")}
    examination = await examine(
        access, password=password, account=account, clients=clients, found=found, lists_only=True
    )
    if examination.shop_lists is None or examination.account_lists is None:
        raise bad_input(examination.problems, saved="Nothing was written.")
    return examination.shop_lists, examination.account_lists


def _written(path: Path, text: str) -> None:
    try:
        write_atomically(path, text)
    except OSError as error:
        raise CommandEnd(BAD_INPUT, f"{path} can't be written ({error.strerror}).", fix="name another file") from None
