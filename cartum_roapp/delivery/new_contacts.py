"""A buyer whom RO App does not know: made once, a person or an organization, and found again where nobody answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence, Set
from dataclasses import replace
from itertools import combinations

from sqlalchemy import Connection

from cartum_roapp.apis.roapp.rows import Contact, Organization
from cartum_roapp.apis.roapp.sending import Before
from cartum_roapp.delivery.contact_keys import further, identity, names
from cartum_roapp.delivery.contact_sides import Side, Sides
from cartum_roapp.delivery.creation import Creations
from cartum_roapp.delivery.known_contacts import named_address
from cartum_roapp.delivery.markers import BEFORE_CALL, CLOCKS, marker
from cartum_roapp.delivery.search import first_token, mail, numbers_of
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord, Code
from cartum_roapp.ledger import links
from cartum_roapp.ledger.creations import Creation, Thing
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.links import Link, Reason
from cartum_roapp.orders.names import read_name
from cartum_roapp.orders.phone_field import Phone

_LONGEST_NAME, _LONGEST_NOTES = 120, 250  # roapp §7
#: What RO App may refuse of a contact, beside its phones: each field by what it is made of.
_OPTIONAL: dict[str, Callable[[DesiredOrder], str]] = {
    "email": lambda order: order.buyer_email,
    "address": lambda order: ", ".join(filter(None, (order.delivery_city, order.delivery_address))),
}


class NewContacts:
    """Makes contacts of one account, and finds what calls of unknown outcome have made."""

    def __init__(self, session: AccountSession, creations: Creations, sides: Sides) -> None:
        self._session = session
        self._creations = creations
        self._sides = sides

    async def create(self, order: DesiredOrder, side: Side) -> Link:
        """Makes the contact with all phones that no other has, else without the e-mail or the postal address, else
        without one of the phones, else with one, else without any: which of them RO App refuses it need not say. Raises
        what `Creations.make` raises."""
        numbers = [phone.number for phone in order.phones]
        await side.search.look(numbers)
        elsewhere = set().union(
            *(side.search.phones(one, order.shop) for one in side.search.having(numbers, order.shop))
        )
        phones = tuple(phone for phone in order.phones if phone.number not in elsewhere)
        refused: BadRecord | None = None
        tries = (
            phones,
            *(combinations(phones, len(phones) - 1) if phones else ()),
            *((phone,) for phone in phones),
            (),
        )
        for given in dict.fromkeys(tries):
            optional = {name: value for name, value in _OPTIONAL.items() if value(order)}
            while True:
                try:
                    return await self._make(order, side, given, elsewhere, optional)
                except BadRecord as error:
                    refused = refused or error
                    if about := next((name for name in optional if _is_about(error, name)), None):
                        del optional[about]
                    elif given and _is_about(error, "phone"):
                        break
                    else:
                        raise refused from None
        assert refused is not None
        raise refused from None

    async def _make(
        self, order: DesiredOrder, side: Side, phones: Sequence[Phone], elsewhere: Set[str], optional: Collection[str]
    ) -> Link:
        """Makes the contact with these phones and `optional` fields. All that the order says of the buyer leads to it
        then, except phones that are `elsewhere`."""
        organization = side is self._sides.organizations
        body = _organization(order) if organization else self._person(order)
        body |= {"notes": _notes(order)}
        body |= {name: _OPTIONAL[name](order) for name in optional}
        if phones:
            body["phones"] = [_written(phone) for phone in phones]
        carried = {phone.number for phone in phones}
        link = _link(order, carried, organization=organization)

        async def send(before: Before) -> int:
            return await side.clients.create(body, before=before)

        def bind(connection: Connection, ro_id: int) -> None:
            nonlocal link
            link = replace(link, ro_id=ro_id)
            more = [replace(link, key=key, reason=Reason.MADE) for key in further(order, organization=organization)]
            more = [
                one if not one.phone or one.phone in carried else replace(one, reason=Reason.NAMED)
                for one in more
                if one.phone not in elsewhere
            ]
            links.store(connection, self._session.account, link)
            links.add(connection, self._session.account, [*more, *named_address(order, link)])

        thing = Thing("contact", (*names(order), marker(order.shop, order.number)), order.shop, order.number)
        await self._creations.make(thing, send=send, link=bind)
        side.search.note(side.clients.kind.model_validate({**body, "id": link.ro_id}))
        return link

    async def look(self, order: DesiredOrder, doubts: Iterable[Creation]) -> Link | None:
        """Brings what these calls may have made into the search. Returns what the buyer's own among them has made, by
        its marker."""
        made: dict[int, Contact] = {}
        for doubt in doubts:
            async for contact in self._created_since(doubt):
                self._sides.side_of(contact).search.note(contact)
                if doubt.names[0] == identity(order) and self._is_made_by(contact, doubt):
                    made[contact.id] = contact
        if not made:
            return None
        first = made[min(made)]
        carried = self._sides.side_of(first).search.phones(first, order.shop)
        return replace(_link(order, carried, organization=isinstance(first, Organization)), ro_id=first.id)

    async def made_by(self, creation: Creation) -> list[int]:
        """Returns the ids of all contacts that this call made, when it was sent and when it was repeated."""
        made = {one.id async for one in self._created_since(creation) if self._is_made_by(one, creation)}
        return sorted(made)

    async def _created_since(self, creation: Creation) -> AsyncIterator[Contact]:
        """Yields the contacts that were created since the call was sent; organizations, too, where it may make one."""
        since = creation.sent_at - BEFORE_CALL - CLOCKS
        company = any(name.startswith(("company:", "order:")) for name in creation.names)
        for side in (self._sides.organizations, self._sides.people) if company else (self._sides.people,):
            try:
                async for page in side.clients.walk(created_from=since):
                    for contact in page:
                        yield contact
            except BadRecord as error:
                if error.code != Code.NOT_AVAILABLE:
                    raise

    def _is_made_by(self, contact: Contact, creation: Creation) -> bool:
        """Returns whether this call made the contact. The marker shows it, with the phone, e-mail address or number of
        the buyer: an order whose buyer was changed in the shop has made two. A contact without it may be theirs, too,
        as RO App may have refused it, unless it is known as another buyer's."""
        if not is_of(contact, creation):
            return False
        key = creation.names[0]
        kind, _, value = key.partition(":")
        if kind == "phone":
            shown = self._sides.side_of(contact).search.phones(contact, creation.shop)
            return value in shown or (not contact.phones and not self._is_of_another(contact, key))
        if kind == "company":
            return value in numbers_of(contact) or not self._is_of_another(contact, key)
        if kind == "email":
            refused = not contact.email and not contact.phones and not self._is_of_another(contact, key)
            return mail(contact) == value or refused
        return not self._is_of_another(contact, key)

    def _is_of_another(self, contact: Contact, identity: str) -> bool:
        with self._session.autocommit() as connection:
            same = links.of(connection, self._session.account, contact.id)
        return bool(same) and all(one.key != identity for one in same)

    def _person(self, order: DesiredOrder) -> dict[str, object]:
        name = read_name(order.buyer_name)
        first = name.first or order.buyer_phone or order.buyer_email or "?"
        body = {"first_name": first[:_LONGEST_NAME], "last_name": name.last[:_LONGEST_NAME]}
        return {name: text for name, text in body.items() if text}


def is_of(contact: Contact, creation: Creation) -> bool:
    """Returns whether the contact has a marker that this call gave its own. Where RO App shows no notes, none has."""
    return first_token(contact) in creation.names


def _link(order: DesiredOrder, carried: Set[str], *, organization: bool) -> Link:
    """Where the buyer leads, whose contact was made with the phones that are `carried`; without its id."""
    link = Link(identity(order), 0, organization, Reason.MADE)
    return replace(link, reason=Reason.REFUSED) if link.phone and link.phone not in carried else link


def _organization(order: DesiredOrder) -> dict[str, object]:
    body = {
        "name": order.company[:_LONGEST_NAME],
        "business_registration_number": order.company_number,
        "tax_identification_number": order.company_tax,
    }
    return {name: text for name, text in body.items() if text}


def _notes(order: DesiredOrder) -> str:
    """The marker, and what stands in the order's field of phones and is none: RO App would refuse it as one."""
    unread = order.phone_remark if order.phones else " ".join(order.buyer_phone_raw.split())
    return f"{marker(order.shop, order.number)} {unread}".rstrip()[:_LONGEST_NOTES]


def _written(phone: Phone) -> dict[str, object]:
    """A phone for RO App: nobody gets a message for it."""
    named = {"title": phone.title, "phone": phone.number}
    return {**named, "notify": False, "has_viber": False, "has_whatsapp": False}


def _is_about(error: BadRecord, what: str) -> bool:
    """Whether RO App refuses a call because of this field, as far as it says so: it names it, or nothing at all."""
    named = f"{error.field or ''} {error.message}".casefold().replace("e-mail", "email")
    return error.code == Code.REFUSED and (error.field is None or what in named)
