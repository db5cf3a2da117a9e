"""`cartum-roapp match set | unset | list`: a person chooses RO App's contact for a buyer, or its product for an article
of the shop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartum_roapp.cli.arguments import OptionalSlug, Slug, example
from cartum_roapp.cli.held import Shops, known_shops
from cartum_roapp.cli.output import Json, local, show, terminal_table
from cartum_roapp.cli.progress import waiting
from cartum_roapp.held_words import KIND, RO_ID, WHICH

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from cartum_roapp.delivery.choosing import Chosen
    from cartum_roapp.shops import ShopConfig

app = typer.Typer(
    help="Contacts and products of RO App that a person chooses.",
    epilog=example("match set product my-shop CAP-2 8801234"),
    no_args_is_help=True,
)


class Kind(StrEnum):
    """What is chosen."""

    CONTACT = "contact"
    PRODUCT = "product"


OfKind = Annotated[Kind, typer.Argument(metavar="contact|product", help=KIND)]
Which = Annotated[
    str,
    typer.Argument(metavar="NUMBER|ARTICLE", help=WHICH),
]


@app.command("set", epilog=example("match set product my-shop CAP-2 8801234"))
def set_(
    kind: OfKind,
    slug: Slug,
    which: Which,
    ro_id: Annotated[int, typer.Argument(metavar="RO_ID", min=1, help=RO_ID)],
    json: Json = False,
) -> None:
    """Choose RO App's contact for the buyer of an order, or RO App's product for an article of the shop.

    The choice takes precedence over everything else in RO App's data. It is accepted only if RO App has that record.
    Orders that were held for it go through with the next sync. Orders already in RO App keep their products, and get
    the contact with their next change.
    """
    from cartum_roapp.cli.backend import serving

    with serving(), waiting("Asking RO App"):
        chosen = asyncio.run(_choose(slug, kind, which, ro_id))
    document = {"shop": slug, "kind": kind, "which": which, "ro_id": ro_id, "is": chosen.kind,
                "released": list(chosen.released)}  # fmt: skip
    what = f"{_named(kind, which)} of {slug} is {chosen.kind} {ro_id} of RO App."
    held = f" Tried again with the next sync: {', '.join(chosen.released)}." if chosen.released else ""
    show(document, lambda: what + held)


@app.command("unset", epilog=example("match unset contact my-shop 1001"))
def unset(kind: OfKind, slug: Slug, which: Which, json: Json = False) -> None:
    """Take a choice back: the contact or product is searched for again when the next order needs it."""
    with _shop(slug) as (shop, engine):
        from cartum_roapp.delivery import choosing

        take_back = choosing.unchoose_product if kind is Kind.PRODUCT else choosing.unchoose_contact
        take_back(engine, shop, which)
    document = {"shop": slug, "kind": kind, "which": which, "unset": True}
    show(document, lambda: f"{_named(kind, which)} of {slug} is searched for again.")


@app.command("list", epilog=example("match list my-shop"))
def list_(slug: OptionalSlug = None, json: Json = False) -> None:
    """What was chosen, and when. No buyer's data: a buyer is named by their orders."""
    with known_shops(slug) as shops:
        rows = _listed(shops, [shops.one] if slug else list(shops.slugs))
    columns = ("shop", "what", "which", "in RO App", "chosen")
    show(
        rows,
        lambda: (
            terminal_table("Chosen by a person", columns, [_row(one) for one in rows]) if rows else "Nothing is chosen."
        ),
    )


@contextmanager
def _shop(slug: str) -> Iterator[tuple[ShopConfig, Engine]]:
    """Yields the shop's settings and the ledger."""
    from cartum_roapp.cli.backend import serving

    with serving():
        from blocks.store import load_shop
        from cartum_roapp.service import ledger

        shop = asyncio.run(load_shop(slug))
        with ledger.opened() as engine:
            yield shop, engine


async def _choose(slug: str, kind: Kind, which: str, ro_id: int) -> Chosen:
    from blocks.store import settings_of
    from tasks.matches import choose

    return await choose(await settings_of(slug), kind, which, ro_id)


def _listed(shops: Shops, keys: list[str]) -> list[dict[str, Any]]:
    from cartum_roapp.ledger import chosen_contacts, chosen_products

    contacts = [
        {"shop": shops.slugs[one.shop], "kind": Kind.CONTACT, "orders": list(one.orders), "ro_id": one.ro_id,
         "is": one.kind, "chosen_at": one.chosen_at}
        for one in chosen_contacts.listed(shops.engine, keys)
    ]  # fmt: skip
    products = [
        {"shop": shops.slugs[one.shop], "kind": Kind.PRODUCT, "article": one.name, "title": one.title,
         "ro_id": one.ro_id, "is": "product", "chosen_at": one.chosen_at}
        for one in chosen_products.listed(shops.engine, keys)
    ]  # fmt: skip
    return [*contacts, *products]


def _row(one: dict[str, Any]) -> list[object]:
    which = one["article"] if "article" in one else f"buyer of {', '.join(one['orders'])}"
    return [one["shop"], str(one["kind"]), which, f"{one['is']} {one['ro_id']}", local(one["chosen_at"])]


def _named(kind: Kind, which: str) -> str:
    return f"Product {which}" if kind is Kind.PRODUCT else f"The buyer of {which}"
