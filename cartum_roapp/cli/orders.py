"""`cartum-roapp order show`: all that is known of one order, and what happened to it. `resend` is in `runs`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartum_roapp.cli.arguments import Slug, example, missing
from cartum_roapp.cli.output import Json, local, show, terminal_table
from cartum_roapp.held_words import NUMBER

if TYPE_CHECKING:
    from cartum_roapp.shops import ShopSettings

app = typer.Typer(help="Single orders.", epilog=example("order show my-shop 1001"), no_args_is_help=True)

Personal = Annotated[
    bool, typer.Option("--personal", help="Show the buyer's data too: name, phone, address, comments.")
]


@app.command("show", epilog=example("order show my-shop 1001"))
def show_(
    slug: Slug,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help=NUMBER)],
    personal: Personal = False,
    json: Json = False,
) -> None:
    """Show an order's state in the shop and in RO App, what is held, and its history: when it was seen, changed,
    matched, held, released and delivered, and each call to RO App."""
    from cartum_roapp.cli.backend import serving
    from cartum_roapp.ledger import shops
    from cartum_roapp.service import ledger
    from cartum_roapp.sync import order_story

    number = number.strip()
    with serving(), ledger.opened() as engine:
        keys = shops.keys_of(engine, slug)
        if not keys:
            raise missing(slug)
        found = asyncio.run(_settings(slug))
        stories = (order_story.read(engine, slug, key, number, _of_key(found, key), personal=personal) for key in keys)
        story = next((one for one in stories if one is not None), None)
    if story is None:
        raise order_story.unknown(slug, number)
    show(story, lambda: _shown(story))


async def _settings(slug: str) -> ShopSettings | None:
    """Returns the shop and its account; None if the shop is deleted or can't be used as it is stored."""
    from blocks.store import settings_of
    from cartum_roapp.errors import BadConfig

    try:
        return await settings_of(slug)
    except BadConfig:
        return None


def _of_key(found: ShopSettings | None, key: str) -> ShopSettings | None:
    """An earlier shop of the same slug no longer has settings."""
    return found if found is not None and found.shop.key == key else None


def _shown(story: dict[str, Any]) -> list[object]:
    from cartum_roapp.ledger.dossier import BUYER
    from cartum_roapp.sync.order_story import facts

    parts: list[object] = [terminal_table(f"Order {story['number']} of {story['shop']}", ("", ""), facts(story))]
    if order := story["order"]:
        lines = [
            (one["product"], one["title"], f"{one['price']:.2f}", f"{one['quantity'].normalize():f}",
             one["roapp_product"], one["item_id"])
            for one in order["lines"]
        ]  # fmt: skip
        columns = ("product", "title", "price", "quantity", "RO App's product", "its line")
        parts.append(terminal_table("Lines", columns, lines))
        if story["personal_data"]:
            buyer = [(name, order[name]) for name in BUYER if order[name]]
            parts.append(terminal_table("The buyer", ("", ""), buyer))
    if story["held"]:
        held = [(one["entity"], one["code"], one["message"], one["fix"], one["attempts"]) for one in story["held"]]
        parts.append(terminal_table("Held for a person", ("what", "code", "why", "what to do", "tries"), held))
    if story["dismissed"]:
        left = [(one["entity"], one["code"], one["message"], local(one["dismissed_at"]), one["dismissed_because"])
                for one in story["dismissed"]]  # fmt: skip
        parts.append(terminal_table("Dismissed by a person", ("what", "code", "why", "dismissed", "because"), left))
    events = [(local(one["at"]), one["text"]) for one in story["timeline"]]
    parts.append(terminal_table("What happened", ("when", "what"), events))
    return parts
