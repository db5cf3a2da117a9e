"""`cartum-roapp account …`: RO App accounts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartum_roapp.cli.arguments import example
from cartum_roapp.cli.confirmation import confirm
from cartum_roapp.cli.output import Json, bad_input, show, terminal_table
from cartum_roapp.cli.progress import waiting

if TYPE_CHECKING:
    from pydantic import SecretStr

    from cartum_roapp.errors import BadConfig
    from cartum_roapp.shops import AccountConfig
    from cartum_roapp.shops.access import Clients
    from cartum_roapp.shops.lists import AccountLists

app = typer.Typer(
    help="RO App accounts: the companies that get the orders.", epilog=example("account add main"), no_args_is_help=True
)

#: What is listed, and the setting that is chosen from it.
_TITLES = {
    "locations": "Locations (location_id)",
    "order_types": "Order types (order_type_id)",
    "employees": "Employees (managers)",
    "order_fields": "Order fields (order_number_field)",
    "statuses": "Statuses",
    "services": "Services (delivery_service_id)",
    "categories": "Categories (product_category_id)",
}
Name = Annotated[str, typer.Argument(metavar="NAME", help="The account's name, as `account list` shows it.")]


@app.command("add", epilog=example("account add main"))
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name for the account, like main.")],
    base_url: Annotated[str | None, typer.Option("--base-url", help="The API's address with its version.")] = None,
    api_key_stdin: Annotated[
        bool, typer.Option("--api-key-stdin", help="Read the API key from standard input.")
    ] = False,
    json: Json = False,
) -> None:
    """Connect an account, or give a connected account a new API key. The key is tried first."""
    from cartum_roapp.cli.backend import serving
    from cartum_roapp.cli.secrets import API_KEY, obtain
    from cartum_roapp.shops.account import ACCOUNT_FIELDS
    from cartum_roapp.shops.configs import account_config
    from cartum_roapp.shops.problems import Problems

    _, found = account_config(name, base_url or ACCOUNT_FIELDS["base_url"].default, "not-asked-yet")
    problems = Problems(found)
    key = obtain(API_KEY, from_stdin=api_key_stdin, problems=problems)
    if problems or key is None:
        raise bad_input(problems.sorted(("name", "base_url", "api_key")))
    with serving() as backend, waiting("Asking RO App"):
        document = asyncio.run(_add(name, base_url, key, backend.clients()))
    verb = "updated" if document["updated"] else "added"
    show(
        document, lambda: f"Account {document['name']} {verb}: {document['company']['name']} at {document['base_url']}"
    )


@app.command("list", epilog=example("account list"))
def list_(json: Json = False) -> None:
    """All accounts."""
    from cartum_roapp.cli.backend import serving

    with serving():
        from blocks.store import list_accounts

        accounts = asyncio.run(list_accounts())
    rows = [_described(name, config) for name, config in accounts.items()]
    show(
        rows,
        lambda: terminal_table("Accounts", ["name", "API address", "problem"], [
            (row["name"], row.get("base_url", ""), row.get("problem", "")) for row in rows
        ]) if rows else "No accounts yet: `cartum-roapp account add NAME`",
    )  # fmt: skip


@app.command("show", epilog=example("account show main"))
def show_(name: Name, json: Json = False) -> None:
    """What the account offers: locations, order types, employees, statuses, order fields, services."""
    from cartum_roapp.cli.backend import serving

    with serving() as backend:
        from blocks.store import load_account
        from cartum_roapp.shops.access import enter_account

        config = asyncio.run(load_account(name))
        with waiting("Asking RO App"):
            lists, problem = asyncio.run(enter_account(backend.clients(), config))
    if lists is None:
        raise bad_input([problem] if problem else [], saved="Nothing could be listed.")
    document = {"name": config.name, "base_url": config.base_url, "api_key": "set", **lists_document(lists)}
    show(document, lambda: tables(lists))


@app.command("delete", epilog=example("account delete main"))
def delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    json: Json = False,
) -> None:
    """Remove an account that no shop uses: its API key, and what the ledger knows about it. RO App keeps all it has.

    Asks for confirmation. If you answer no, nothing is deleted and the command ends with 1.
    """
    from cartum_roapp.cli.backend import serving

    with serving():
        from deployments import accounts

        asyncio.run(accounts.check_unused(name))
        confirm(f"Delete the account {name}?", yes=yes, doing="Deleting", done="deleted")
        asyncio.run(accounts.delete(name))
    show({"name": name, "deleted": True}, lambda: f"The account {name} is deleted; RO App keeps what it has.")


def lists_document(lists: AccountLists) -> dict[str, Any]:
    """Returns what an account offers, for JSON."""
    return {
        "company": {key: lists.company.get(key) for key in ("name", "country", "currency", "timezone")},
        "locations": [
            {"id": row.id, "name": row.name, "is_archived": row.is_archived, "timezone": row.timezone}
            for row in lists.locations
        ],
        "order_types": [{"id": row.id, "name": row.name} for row in lists.order_types],
        "employees": [
            {
                "id": row.id,
                "name": row.name,
                "position": row.position,
                "is_active": row.is_active,
            }
            for row in lists.employees
        ],
        "statuses": [{"id": row.id, "name": row.name} for row in lists.statuses],
        "order_fields": (
            None
            if lists.custom_fields is None
            else [{"key": row.key, "name": row.name, "type": row.type} for row in lists.custom_fields]
        ),
        "services": (None if lists.services is None else [{"id": row.id, "name": row.name} for row in lists.services]),
        "categories": (
            None if lists.categories is None else [{"id": row.id, "name": row.name} for row in lists.categories]
        ),
    }


def tables(lists: AccountLists) -> list[object]:
    """Returns what an account offers, as tables for people, each with the setting that is chosen from it."""
    from cartum_roapp.shops.choices import account_choices

    parts: list[object] = []
    for name, listed in account_choices(lists).items():
        if listed.choices:
            rows = [(one.value, one.name, one.hindrance) for one in listed.choices]
            parts += [terminal_table(_TITLES[name], ("id", "name", ""), rows), ""]
    return parts[:-1]


def _described(name: str, config: AccountConfig | BadConfig) -> dict[str, Any]:
    from cartum_roapp.errors import BadConfig

    if isinstance(config, BadConfig):
        return {"name": name, "problem": str(config.message), "fix": config.fix}
    return {"name": name, "base_url": config.base_url, "api_key": "set"}


async def _add(name: str, base_url: str | None, key: SecretStr, clients: Clients) -> dict[str, Any]:
    from deployments import accounts

    connected = await accounts.connect(name, base_url, key, clients)
    if connected.config is None:
        raise bad_input(connected.problems)
    shown = {field: connected.company.get(field) for field in ("name", "country", "currency", "timezone")}
    address = connected.config.base_url
    return {"name": name, "base_url": address, "api_key": "set", "company": shown, "updated": connected.updated}
