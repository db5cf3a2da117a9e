"""What a person chooses where several contacts or products of RO App may be meant: looked up in RO App and stored; what
was held for it is tried again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches

from sqlalchemy import Connection, Engine

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import Organization
from cartum_roapp.delivery import candidates
from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import (
    catalogue,
    chosen_contacts,
    chosen_products,
    creations,
    desired,
    links,
    orders,
    product_links,
)
from cartum_roapp.ledger.links import Link, Reason
from cartum_roapp.ledger.product_links import ProductLink
from cartum_roapp.ledger.shops import ShopState
from cartum_roapp.orders.texts import clean
from cartum_roapp.shops import ShopConfig

_NEAR = 5


@dataclass(frozen=True)
class Chosen:
    """The kind of RO App's record that counts from now on (person, organization, product), and the numbers of the
    orders that were held for it and are tried again."""

    kind: str
    released: Sequence[str]


async def choose_product(engine: Engine, roapp: RoApp, shop: ShopConfig, name: str, ro_id: int) -> Chosen:
    """Stores which product of RO App the shop's product is, which is named by its article, or by its title where it has
    none. Orders that are in RO App keep the product that they have. Idempotent.

    Raises BadConfig if the ledger has no such product of the shop (field `article`), or RO App has none (`ro_id`).
    """
    with engine.connect() as connection:
        product = _product(connection, shop, name)
        listed = catalogue.has(connection, shop.account, ro_id)
    # An account may not show single products (roapp §3.4).
    if await roapp.product(ro_id) is None and not listed:
        raise BadConfig(
            f"RO App has no product {ro_id}.",
            shop=shop.slug,
            field="ro_id",
            fix="Give the id of a product that is there; the messages of `held list` name those that may be meant.",
        )
    key = product_links.key(shop.key, product)
    with engine.begin() as connection:
        link = ProductLink(key, ro_id, Reason.CHOSEN, chosen_at=datetime.now(UTC))
        product_links.store(connection, shop.account, [link])
        released = chosen_products.waiting(connection, shop.key, product)
        orders.requeue(connection, shop.key, released)
    return Chosen("product", released)


async def choose_contact(engine: Engine, roapp: RoApp, shop: ShopConfig, number: str, ro_id: int) -> Chosen:
    """Stores which contact of RO App the buyer of this order is, a person or an organization, in all shops of the
    account. Idempotent.

    Raises BadConfig if the ledger does not know the order's buyer, or a call that may have made a contact for them is
    still unclear (field `number`), or if RO App has no such contact (`ro_id`).
    """
    with engine.connect() as connection:
        identity = _buyer(connection, shop, number)
        order = desired.read(connection, shop.key, number)
        if creations.in_doubt(connection, shop.account, "contact", [identity]):
            raise BadConfig(
                f"RO App was asked to make a contact for the buyer of {number}, and whether it did is not known yet.",
                shop=shop.slug,
                field="number",
                fix=f"Wait for the next sync, which looks for it, then choose (`cartum-roapp sync {shop.slug}`).",
            )
    contact = await candidates.contact(roapp, ro_id, candidates.phones_of(order))
    if contact is None:
        raise BadConfig(
            f"RO App shows no contact {ro_id}.",
            shop=shop.slug,
            field="ro_id",
            fix="Give the id of a contact that is there; the message of `held show` names those that may be meant.",
        )
    organization = isinstance(contact, Organization)
    link = Link(identity, ro_id, organization, Reason.CHOSEN, chosen_at=datetime.now(UTC))
    with engine.begin() as connection:
        links.store(connection, shop.account, link)
        released = chosen_contacts.waiting(connection, shop.key, identity)
        orders.requeue(connection, shop.key, released)
    return Chosen("organization" if organization else "person", released)


def unchoose_product(engine: Engine, shop: ShopConfig | ShopState, name: str) -> None:
    """Takes the choice for this product back: it is searched for again. Raises BadConfig if there is none."""
    with engine.begin() as connection:
        key = product_links.key(shop.key, _product(connection, shop, name))
        if not links.unchoose(connection, shop.account, "product", key):
            raise _nothing(shop, "article", name)


def unchoose_contact(engine: Engine, shop: ShopConfig | ShopState, number: str) -> None:
    """Takes the choice for the buyer of this order back: they are searched for again. Raises BadConfig if there is
    none."""
    with engine.begin() as connection:
        if not links.unchoose(connection, shop.account, "contact", _buyer(connection, shop, number)):
            raise _nothing(shop, "number", number)


def _product(connection: Connection, shop: ShopConfig | ShopState, name: str) -> str:
    found = chosen_products.named(connection, shop.key, clean(name))
    if len(found) == 1:
        return found[0]
    if found:
        message, fix = f"{len(found)} products of the shop are called {name!r}.", "Name it by its article."
    else:
        near = get_close_matches(name, chosen_products.names(connection, shop.key), n=_NEAR, cutoff=0.5)
        message = f"no order of the shop has a product with the article {name!r}."
        fix = f"Near are: {', '.join(near)}." if near else "`held show` names the products of an order."
    raise BadConfig(message, shop=shop.slug, field="article", fix=fix)


def _buyer(connection: Connection, shop: ShopConfig | ShopState, number: str) -> str:
    identity = chosen_contacts.buyer(connection, shop.key, number)
    if identity is None:
        raise BadConfig(
            f"the ledger has no order {number} with its buyer's data.",
            shop=shop.slug,
            field="number",
            fix="Name the buyer by the number of an order that `held list` shows.",
        )
    return identity


def _nothing(shop: ShopConfig | ShopState, field: str, name: str) -> BadConfig:
    fix = f"`cartum-roapp match list {shop.slug}` shows what was chosen."
    return BadConfig(f"nothing was chosen for {name!r}.", shop=shop.slug, field=field, fix=fix)
