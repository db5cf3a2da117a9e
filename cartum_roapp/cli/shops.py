"""`cartum-roapp shop …`: lists, edits, pauses and deletes shops. Commands that only check are in `shop_checks`, those
of files in `shop_files`."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartum_roapp.cli.arguments import PasswordStdin, Slug, example, missing
from cartum_roapp.cli.confirmation import confirm
from cartum_roapp.cli.output import BAD_INPUT, CommandEnd, Json, bad_input, say, show, terminal_table
from cartum_roapp.cli.progress import ASKING, waiting

if TYPE_CHECKING:
    from cartum_roapp.shops import ShopConfig
    from cartum_roapp.shops.access import Clients
    from cartum_roapp.shops.draft import Draft

app = typer.Typer(help="Cartum (Horoshop) shops.", epilog=example("shop apply my-shop.yaml"), no_args_is_help=True)


@app.command("edit", epilog=example("shop edit my-shop --set window_days=90"))
def edit(
    slug: Slug,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One setting; may be repeated.")
    ] = None,
    password_stdin: PasswordStdin = False,
    json: Json = False,
) -> None:
    """Give a shop new settings, which take effect on the next run. Without a new password, the old one stays.

    A problem with a setting that you don't change is only a warning. `shop apply` takes all settings from a file.
    """
    from cartum_roapp.cli.backend import serving
    from cartum_roapp.cli.secrets import SHOP_PASSWORD, given, obtain
    from cartum_roapp.shops.draft import Draft
    from cartum_roapp.shops.shop import SHOP_FIELDS
    from cartum_roapp.shops.shop_file import changed_values

    if not changes and not given(SHOP_PASSWORD, from_stdin=password_stdin):
        fix = "give --set KEY=VALUE once or more, or a new password with --password-stdin"
        raise CommandEnd(BAD_INPUT, "Nothing to change.", fix=fix)
    with serving() as backend:
        from blocks.store import find_shop
        from cartum_roapp.errors import BadConfig

        stored = asyncio.run(find_shop(slug))
        if stored is None:
            raise missing(slug)
        if isinstance(stored, BadConfig):
            fix = f"give all of it in a file: `cartum-roapp shop apply {slug}.yaml`"
            raise CommandEnd(BAD_INPUT, f"{slug} can't be used as it is stored.", fix=fix)
        draft = Draft.of(slug, changed_values(stored.model_dump(mode="json", include=set(SHOP_FIELDS)), changes or []))
        draft.compare(stored)
        draft.password = obtain(
            SHOP_PASSWORD, from_stdin=password_stdin, problems=draft.problems, otherwise=stored.password
        )
        with waiting(ASKING):
            config = asyncio.run(_edit(draft, stored, backend.clients()))
    warnings = draft.found.warnings
    for warning in warnings:
        say(f"Warning: {warning}")
    document = {"slug": slug, "saved": True, "shop": _document(config), "warnings": [one.as_dict() for one in warnings]}
    show(document, lambda: f"{slug} is saved; the next run uses the new settings.")


@app.command("list", epilog=example("shop list"))
def list_(json: Json = False) -> None:
    """All shops."""
    from cartum_roapp.cli.backend import serving
    from cartum_roapp.errors import BadConfig

    with serving():
        from blocks.store import list_shops

        shops = asyncio.run(list_shops())
    shown = ("name", "platform", "url", "account", "enabled", "key")
    rows: list[dict[str, Any]] = [
        {"slug": slug, "problem": config.message, "fix": config.fix}
        if isinstance(config, BadConfig)
        else {"slug": slug, **{key: getattr(config, key) for key in shown}}
        for slug, config in shops.items()
    ]
    columns = ("slug", "name", "url", "account", "enabled", "problem")
    none = "No shops yet: connect one in the console (`cartum-roapp ui`), or by a file (`shop discover`)."
    cells = [[setting_cell(row.get(key, "")) for key in columns] for row in rows]
    show(rows, lambda: terminal_table("Shops", columns, cells) if rows else none)


@app.command("show", epilog=example("shop show my-shop"))
def show_(slug: Slug, json: Json = False) -> None:
    """A shop's settings, without its password."""
    from cartum_roapp.cli.backend import serving

    with serving():
        from blocks.store import load_shop

        document = _document(asyncio.run(load_shop(slug)))
    rows = [(key, setting_cell(value)) for key, value in document.items()]
    show(document, lambda: terminal_table(slug, ("key", "value"), rows))


@app.command("pause", epilog=example("shop pause my-shop"))
def pause(slug: Slug, json: Json = False) -> None:
    """Stop a shop's schedule. Runs that you start by hand still work."""
    _switched(slug, "pause", "paused")


@app.command("resume", epilog=example("shop resume my-shop"))
def resume(slug: Slug, json: Json = False) -> None:
    """Start a paused shop's schedule again."""
    _switched(slug, "resume", "resumed")


@app.command("delete", epilog=example("shop delete my-shop"))
def delete(
    slug: Slug,
    purge: Annotated[bool, typer.Option("--purge", help="Delete the shop's history in the ledger as well.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    json: Json = False,
) -> None:
    """Disconnect a shop. Its deployments, settings and schedule are deleted. RO App keeps the orders.

    Asks for confirmation, with `--purge` for the shop's name. If you answer no, nothing is deleted and the command ends
    with 1.
    """
    from cartum_roapp.cli.backend import serving

    with serving():
        from cartum_roapp.ledger.deleted_shops import FORGOTTEN
        from deployments import shops as deployed

        if slug not in asyncio.run(deployed.connected(deleted=purge)):
            raise missing(slug)
        question = f"Delete the shop {slug}?" + (f" The ledger forgets {FORGOTTEN}." if purge else "")
        confirm(question, yes=yes, doing="Deleting", done="deleted", name=slug if purge else "")
        with waiting(f"Deleting {slug}"):
            asyncio.run(deployed.disconnect(slug, purge=purge))
    show({"slug": slug, "deleted": True, "purged": purge}, lambda: f"{slug} is deleted; RO App keeps its orders.")


def setting_cell(value: object) -> object:
    """Returns a setting as the cell of a table."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {target}" for key, target in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else value


async def _edit(draft: Draft, before: ShopConfig, clients: Clients) -> ShopConfig:
    """Returns the shop as it is saved. Ends the command with all that is wrong with what is changed; a stored password
    that is refused has the way to give another one."""
    from blocks.examine import examine_drafts
    from cartum_roapp.shops import shop_key
    from deployments import drafts

    mistyped = "password" in draft.problems
    await examine_drafts([draft], clients, draft.same)
    config = draft.config
    if config is None:
        anew = "give the new one with --password-stdin, before this edit or with it"
        refused = draft.password == before.password and not mistyped
        raise bad_input(
            [
                replace(one, fix=f"{one.fix}; {anew}") if refused and one.field == "password" else one
                for one in draft.problems
            ]
        )
    if shop_key(before.url) != shop_key(config.url):
        say(f"url: taken for the same shop under a new address ({before.url} before): its orders keep their markers.")
    await drafts.save([draft])
    return config


def _document(config: ShopConfig) -> dict[str, Any]:
    """Returns a shop's settings without its password."""
    return {**config.model_dump(mode="json", exclude={"password"}), "password": "set"}


def _switched(slug: str, verb: str, state: str) -> None:
    from cartum_roapp.cli.backend import serving

    with serving():
        from blocks.store import load_shop
        from deployments import shops as deployed

        config = asyncio.run(load_shop(slug))
        asyncio.run(deployed.pause(config) if verb == "pause" else deployed.resume(config))
    show({"slug": slug, "state": state}, lambda: f"{slug} is {state}.")
