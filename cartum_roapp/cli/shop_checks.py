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
    from cartum_roapp.shops import ShopConfig
    from cartum_roapp.shops.access import Clients
    from cartum_roapp.shops.draft import Draft
    from cartum_roapp.shops.examine import Examination
    from cartum_roapp.shops.lists import AccountLists, ShopLists

app = typer.Typer()


@app.command("check", epilog=example("shop check my-shop"))
def check(slug: Slug, json: Json = False) -> None:
    """Check with both systems whether the shop's settings are still valid, and print a line for each. If one is not
    valid, its line has the fix, and the command ends with 1."""
    from cartum_roapp.cli.backend import serving
    from cartum_roapp.ledger import catalogue
    from cartum_roapp.service import ledger
    from cartum_roapp.shops.checklist import as_error_fields, checklist

    with serving() as backend:
        with waiting(ASKING):
            config, examination = asyncio.run(_examined(slug, backend.clients()))
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
    from cartum_roapp.shops.draft import Draft
    from cartum_roapp.shops.problems import Problems
    from cartum_roapp.shops.refused import Refused
    from cartum_roapp.shops.setting import check
    from cartum_roapp.shops.shop import SHOP_FIELDS, SLUG
    from cartum_roapp.shops.written import template

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
        draft = Draft(write.stem, values.good, password=password)
        shop, roapp = asyncio.run(_discovered(draft, backend.clients()))
    _written(write, template(values.good, shop, roapp))
    said = f"{write} is written: read it through, then `cartum-roapp shop apply {write}`"
    show({"written": str(write)}, lambda: said)


async def _examined(slug: str, clients: Clients) -> tuple[ShopConfig, Examination]:
    from blocks.examine import examine_drafts
    from blocks.store import load_shop
    from cartum_roapp.shops.draft import Draft

    config = await load_shop(slug)
    draft = Draft.unchanged(config)
    await examine_drafts([draft], clients)
    return config, draft.found


async def _discovered(draft: Draft, clients: Clients) -> tuple[ShopLists, AccountLists]:
    """Returns what the two systems offer. Ends the command if one of them can't be asked."""
    from blocks.examine import examine_drafts

    await examine_drafts([draft], clients)
    found = draft.found
    if found.shop_lists is None or found.account_lists is None:
        asked = [one for one in draft.problems if one.field in (*draft.values, "password")]
        raise bad_input(asked, saved="Nothing was written.")
    return found.shop_lists, found.account_lists


def _written(path: Path, text: str) -> None:
    try:
        write_atomically(path, text)
    except OSError as error:
        raise CommandEnd(BAD_INPUT, f"{path} can't be written ({error.strerror}).", fix="name another file") from None
