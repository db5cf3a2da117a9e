"""`cartum-roapp shop …`: lists, edits, pauses and deletes shops. Commands that only check are in `shop_checks`, those
of files in `fleet`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartum_roapp.cli.arguments import PasswordStdin, Slug, example, missing
from cartum_roapp.cli.confirmation import confirm
from cartum_roapp.cli.connecting import check_input, edit_shop, warn
from cartum_roapp.cli.output import BAD_INPUT, CommandEnd, Json, show, terminal_table
from cartum_roapp.cli.progress import ASKING, waiting
from cartum_roapp.cli.settings_table import setting_cell, settings_document

if TYPE_CHECKING:
    from cartum_roapp.config import ShopConfig

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
    from cartum_roapp.cli.secrets import SHOP_PASSWORD, given
    from cartum_roapp.connection.shop_file import changed_values

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
        values = changed_values(_file_of(stored), changes or [])
        problems, password = check_input(values, password_stdin, stored.password)
        with waiting(ASKING):
            edited = edit_shop(stored, values, problems, password=password, clients=backend.clients())
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

    Asks for confirmation. If you answer no, nothing is deleted and the command ends with 1.
    """
    from cartum_roapp.cli.backend import serving

    with serving():
        from deployments import shops as deployed

        if slug not in asyncio.run(deployed.connected(deleted=purge)):
            raise missing(slug)
        question = f"Delete the shop {slug}{' with its history' if purge else ''}?"
        confirm(question, yes=yes, doing="Deleting", done="deleted")
        with waiting(f"Deleting {slug}"):
            asyncio.run(deployed.disconnect(slug, purge=purge))
    show({"slug": slug, "deleted": True, "purged": purge}, lambda: f"{slug} is deleted; RO App keeps its orders.")


def _file_of(config: ShopConfig) -> dict[str, Any]:
    """Returns a shop's settings as its file has them."""
    return config.model_dump(mode="json", exclude={"slug", "key", "password"})


def _switched(slug: str, verb: str, state: str) -> None:
    from cartum_roapp.cli.backend import serving

    with serving():
        from blocks.store import load_shop
        from deployments import shops as deployed

        config = asyncio.run(load_shop(slug))
        asyncio.run(deployed.pause(config) if verb == "pause" else deployed.resume(config))
    show({"slug": slug, "state": state}, lambda: f"{slug} is {state}.")
