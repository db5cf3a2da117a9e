"""`cartum-roapp shop …`: connects, lists, edits, pauses and deletes shops. Commands that only check are in
`shop_checks`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartum_roapp.cli.arguments import PasswordStdin, Slug, example, missing
from cartum_roapp.cli.confirmation import confirm
from cartum_roapp.cli.connecting import add_shop, check_input, edit_shop, warn, without_file
from cartum_roapp.cli.outcomes import RunResult, run_parts
from cartum_roapp.cli.output import BAD_INPUT, FAILED, INTERRUPTED, CommandEnd, Json, say, show, terminal_table
from cartum_roapp.cli.progress import ASKING, waiting
from cartum_roapp.cli.settings_table import setting_cell, settings_document

if TYPE_CHECKING:
    from cartum_roapp.config import ShopConfig

app = typer.Typer(
    help="Cartum (Horoshop) shops.", epilog=example("shop add my-shop --from shop.yaml"), no_args_is_help=True
)

File = Annotated[Path | None, typer.Option("--from", metavar="FILE.yaml", help="The shop's settings.")]


@app.command("add", epilog=example("shop add my-shop --from shop.yaml"))
def add(
    slug: Slug,
    file: File = None,
    password_stdin: PasswordStdin = False,
    no_import: Annotated[bool, typer.Option("--no-import", help="Only save the shop.")] = False,
    json: Json = False,
) -> None:
    """Connect a shop: check everything, save it, import its orders of the last two months.

    `shop discover --write FILE.yaml` writes the file; the console connects a shop without one.
    """
    from cartum_roapp.cli.backend import serving
    from cartum_roapp.connection.shop_file import read_shop_file

    if file is None:
        raise without_file(slug)
    values = read_shop_file(file)
    problems, password = check_input(slug, values, password_stdin)
    with serving() as backend, waiting(ASKING):
        config, found = asyncio.run(add_shop(slug, values, problems, password, backend.clients()))
    document: dict[str, Any] = {
        "slug": slug,
        "saved": True,
        "shop": settings_document(config),
        "warnings": warn(found),
        "import": None,
    }
    say(f"{slug} is connected and saved.")
    if config.enabled and not no_import:
        document["import"] = _import(slug, document)
    show(document, lambda: _imported(slug, document["import"]))


@app.command("edit", epilog=example("shop edit my-shop --set window_days=90"))
def edit(
    slug: Slug,
    file: Annotated[Path | None, typer.Option("--from", metavar="FILE.yaml", help="All settings of the shop.")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One setting; may be repeated.")
    ] = None,
    password_stdin: PasswordStdin = False,
    json: Json = False,
) -> None:
    """Give a shop new settings, which take effect on the next run. Without a new password, the old one stays.

    A problem with a setting that you don't change is only a warning. With --from, all settings must be valid.
    """
    from cartum_roapp.cli.backend import serving
    from cartum_roapp.cli.secrets import SHOP_PASSWORD, given
    from cartum_roapp.connection.shop_file import changed_values, read_shop_file

    if file is not None and changes:
        raise CommandEnd(BAD_INPUT, "--from gives all settings, --set changes some.", fix="give only one of them")
    if file is None and not changes and not given(SHOP_PASSWORD, from_stdin=password_stdin):
        fix = "give --from FILE.yaml, --set KEY=VALUE once or more, or a new password with --password-stdin"
        raise CommandEnd(BAD_INPUT, "Nothing to change.", fix=fix)
    with serving() as backend:
        from blocks.store import find_shop
        from cartum_roapp.errors import BadConfig

        stored = asyncio.run(find_shop(slug))
        if stored is None:
            raise missing(slug)
        before = None if isinstance(stored, BadConfig) else stored
        old = before.password if before else None
        if file is not None:
            values = read_shop_file(file)
        elif before is not None:
            values = changed_values(_file_of(before), changes or [])
        else:
            raise CommandEnd(
                BAD_INPUT, f"{slug} can't be used as it is stored.", fix="give all of it: --from FILE.yaml"
            )
        problems, password = check_input(slug, values, password_stdin, old)
        with waiting(ASKING):
            edited = edit_shop(
                slug, before, values, problems, password=password, clients=backend.clients(), whole=file is not None
            )
            config, found = asyncio.run(edited)
    document = {"slug": slug, "saved": True, "shop": settings_document(config), "warnings": warn(found)}
    show(document, lambda: f"{slug} is saved; the next run uses the new settings.")


@app.command("list", epilog=example("shop list"))
def list_(json: Json = False) -> None:
    """All shops."""
    from cartum_roapp.cli.backend import serving
    from cartum_roapp.errors import BadConfig

    with serving():
        from blocks.store import list_shops

        shops = asyncio.run(list_shops())
    rows: list[dict[str, Any]] = [
        {"slug": slug, "problem": config.message, "fix": config.fix}
        if isinstance(config, BadConfig)
        else {
            "slug": slug,
            **{key: getattr(config, key) for key in ("name", "platform", "url", "account", "enabled", "key")},
        }
        for slug, config in shops.items()
    ]
    columns = ("slug", "name", "url", "account", "enabled", "problem")
    show(
        rows,
        lambda: (
            terminal_table("Shops", columns, [[setting_cell(row.get(key, "")) for key in columns] for row in rows])
            if rows
            else "No shops yet: connect one in the console (`cartum-roapp ui`), or by a file (`shop discover`)."
        ),
    )


@app.command("show", epilog=example("shop show my-shop"))
def show_(slug: Slug, json: Json = False) -> None:
    """A shop's settings, without its password."""
    from cartum_roapp.cli.backend import serving

    with serving():
        from blocks.store import load_shop

        document = settings_document(asyncio.run(load_shop(slug)))
    show(
        document,
        lambda: terminal_table(slug, ("key", "value"), [(key, setting_cell(value)) for key, value in document.items()]),
    )


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


def _file_of(config: ShopConfig) -> dict[str, Any]:
    """Returns a shop's settings as its file has them."""
    return config.model_dump(mode="json", exclude={"slug", "key", "password"})


def _import(slug: str, document: dict[str, Any]) -> RunResult:
    from cartum_roapp.cli.runs import run_import
    from cartum_roapp.errors import IntegrationError

    goes_on = f"`cartum-roapp import {slug}` goes on where it stopped"
    try:
        return run_import(slug)
    except KeyboardInterrupt:
        message = f"Interrupted: {slug} is saved, but its orders are not all imported."
        raise CommandEnd(INTERRUPTED, message, fix=goes_on, document=document) from None
    except (IntegrationError, CommandEnd) as error:
        message = f"{slug} is saved, but its import failed: {error.message}"
        fix = f"{error.fix.rstrip('.')}; then {goes_on}" if error.fix else goes_on
        raise CommandEnd(FAILED, message, kind=error.kind, fix=fix, document=document) from error


def _imported(slug: str, counts: RunResult | None) -> object:
    return f"Nothing imported: `cartum-roapp import {slug}` starts it." if counts is None else run_parts(counts)


def _switched(slug: str, verb: str, state: str) -> None:
    from cartum_roapp.cli.backend import serving

    with serving():
        from blocks.store import load_shop
        from deployments import shops as deployed

        config = asyncio.run(load_shop(slug))
        asyncio.run(deployed.pause(config) if verb == "pause" else deployed.resume(config))
    show({"slug": slug, "state": state}, lambda: f"{slug} is {state}.")
