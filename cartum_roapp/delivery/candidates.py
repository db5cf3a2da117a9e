"""The contacts and products of RO App of which a person chooses one: how RO App shows them now, and in which words a
page names them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Engine

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.clients import Clients
from cartum_roapp.apis.roapp.rows import Contact
from cartum_roapp.delivery.search import written_as
from cartum_roapp.errors import BadRecord, Code, Question
from cartum_roapp.ledger import catalogue, database, desired

_LAST_DIGITS = 4
#: So many are read, one call each; the others are named by their ids.
_READ = 10


@dataclass(frozen=True)
class Candidate:
    """`words` tell it from the others: a product's name, code, SKU and price, a contact's name and the last digits of
    its phones; the id alone where nothing else is known."""

    id: int
    words: str


def unnamed(question: Question) -> list[Candidate]:
    """Returns the candidates by their ids alone."""
    return [_candidate(id, ()) for id in question["ids"]]


async def read(
    engine: Engine, roapp: RoApp, account: str, shop: str, number: str, question: Question
) -> list[Candidate]:
    """Returns the candidates of the question that an order is held for as RO App shows them, a call for each; a product
    that it does not show alone as the ledger has it. Only reads. Raises what the client raises."""
    ids, others = question["ids"][:_READ], unnamed(question)[_READ:]
    if question["kind"] == "product":
        with database.reading(engine) as connection:
            known = catalogue.rows(connection, account, ids)
        return [*[await _product(roapp, id, known.get(id)) for id in ids], *others]
    with database.reading(engine) as connection:
        phones = phones_of(desired.read(connection, shop, number))
    return [*[_person(id, await contact(roapp, id, phones)) for id in ids], *others]


async def contact(roapp: RoApp, ro_id: int, phones: Sequence[str]) -> Contact | None:
    """Returns the person or organization as RO App shows it, by itself or, where it shows no single ones (roapp §3.1),
    among those with one of the buyer's phones."""
    for side in (roapp.people, roapp.organizations):
        try:
            found = await side.one(ro_id) or await _listed(side, ro_id, phones)
        except BadRecord as error:
            if error.code != Code.NOT_AVAILABLE:
                raise
            continue
        if found is not None:
            return found
    return None


def phones_of(order: desired.DesiredOrder) -> list[str]:
    """Returns the buyer's phones as they may stand in RO App."""
    return [spelling for one in order.phones for spelling in written_as(one.number)]


async def _listed(side: Clients[Contact], ro_id: int, phones: Sequence[str]) -> Contact | None:
    if not phones or side.searches() is False:
        return None
    async for page in side.walk(phones=phones):
        for one in page:
            if one.id == ro_id:
                return one
    return None


async def _product(roapp: RoApp, id: int, known: catalogue.CatalogueRow | None) -> Candidate:
    shown = await roapp.product(id)
    if shown is not None:
        return _candidate(id, (shown.title, *_codes(shown.code, shown.sku), _price(shown.price)))
    return _candidate(id, (known.title_key, *_codes(known.code, known.sku)) if known else ())


def _person(id: int, shown: Contact | None) -> Candidate:
    if shown is None:
        return _candidate(id, ())
    return _candidate(id, (shown.full_name or "without a name", *map(_ending, shown.phones)))


def _codes(code: str, sku: str) -> tuple[str, str]:
    return f"code {code}" if code else "without a code", f"SKU {sku}" if sku else "without an SKU"


def _price(price: Decimal | None) -> str:
    return "without a price" if price is None else f"price {price:.2f}"


def _ending(phone: str) -> str:
    digits = "".join(filter(str.isdigit, phone))
    return f"phone …{digits[-_LAST_DIGITS:]}" if digits else ""


def _candidate(id: int, facts: Iterable[str]) -> Candidate:
    return Candidate(id, ", ".join([*filter(None, facts), f"id {id}"]))
