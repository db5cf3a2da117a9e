"""A buyer whom RO App does not know: made once, a person or an organization, and found again after an unclear call."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from itertools import combinations

from sqlalchemy import Connection

from cartum_roapp.apis.roapp.rows import Contact, Organization
from cartum_roapp.delivery.contact_keys import further, identity
from cartum_roapp.delivery.contact_sides import Side, Sides
from cartum_roapp.delivery.known_contacts import named_address
from cartum_roapp.delivery.markers import marker
from cartum_roapp.delivery.once import Before, Once, utc_now
from cartum_roapp.delivery.search import mail, numbers_of
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.delivery.unclear_contacts import UnclearContacts, is_of_staff
from cartum_roapp.errors import BadRecord, Code
from cartum_roapp.ledger import desired, links
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.intents import Intent, Operation
from cartum_roapp.ledger.links import Link, Reason
from cartum_roapp.orders.names import is_mostly_last_first, read_name
from cartum_roapp.orders.phone_field import Phone

_LONGEST_NAME = 120  # roapp §7
#: So many of a shop's newest orders show in which order its names are written.
_TELLING = 500


class NewContacts:
    """Makes contacts of one account, and tells what a call made of which nobody knows the outcome."""

    def __init__(self, session: AccountSession, once: Once, sides: Sides, unclear: UnclearContacts) -> None:
        self._session = session
        self._once = once
        self._sides = sides
        self._unclear = unclear
        self._last_first: dict[str, bool] = {}

    async def create(self, order: DesiredOrder, side: Side) -> Link:
        """Makes the contact with all phones that no other has, else without the e-mail address, else without one of
        the phones, else with one, else without any: which of them RO App refuses it need not say. Raises what
        `Once.make` raises."""
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
            for email in dict.fromkeys((order.buyer_email, "")):
                try:
                    return await self._make(order, side, given, elsewhere, email)
                except BadRecord as error:
                    refused = refused or error
                    if not ((given and _is_about(error, "phone")) or (email and _is_about(error, "mail"))):
                        raise refused from None
                    if not _is_about(error, "mail"):
                        break
        assert refused is not None
        raise refused from None

    async def _make(
        self, order: DesiredOrder, side: Side, phones: Sequence[Phone], elsewhere: Set[str], email: str
    ) -> Link:
        """Makes the contact with these phones and this e-mail address, or finds what an earlier call made. All that the
        order says of the buyer leads to it then, except phones that are `elsewhere`."""
        organization = side is self._sides.organizations
        body = _organization(order) if organization else self._person(order)
        if not email:
            body.pop("email", None)
        if phones:
            body["phones"] = [_written(phone) for phone in phones]
        found: list[Contact] = []
        link = Link(identity(order), 0, organization, Reason.MADE)

        async def send(before: Before) -> int:
            return await side.clients.create(body, before=before)

        def bind(connection: Connection, ro_id: int) -> None:
            nonlocal link
            carried = {phone.number for phone in phones}
            if found:
                carried = self._sides.side_of(found[0]).search.phones(found[0], order.shop)
                link = replace(link, organization=isinstance(found[0], Organization))
            if link.phone and link.phone not in carried:
                link = replace(link, reason=Reason.REFUSED)
            link = replace(link, ro_id=ro_id)
            keys = further(order, organization=link.organization)
            more = [replace(link, key=key, reason=Reason.MADE) for key in keys]
            more = [
                one if not one.phone or one.phone in carried else replace(one, reason=Reason.NAMED)
                for one in more
                if one.phone not in elsewhere
            ]
            links.store(connection, self._session.account, link)
            links.add(connection, self._session.account, [*more, *named_address(order, link)])

        async def find(intent: Intent) -> int | None:
            made = await self._made_by(intent, order)
            for contact in made:
                self._sides.side_of(contact).search.note(contact)
            if len(made) > 1:  # staff have made one as well, or two of our calls were carried out
                await side.search.by_phone(order, None) or await side.search.by_email(order, None)
            found[:] = made[:1]
            if not found or (is_of_staff(found[0], intent) and utc_now() < intent.resend_at):
                return None
            return found[0].id

        await self._once.make(self.operation(order), find=find, send=send, bind=bind)
        made = found[0] if found else side.clients.kind.model_validate({**body, "id": link.ro_id})
        self._sides.side_of(made).search.note(made)
        return link

    def is_unclear(self, order: DesiredOrder) -> bool:
        """Whether nobody knows if an earlier call made this buyer's contact: `create` looks for it."""
        return self._once.unsettled(self.operation(order)) is not None

    async def made_by(self, intent: Intent) -> list[int]:
        """The ids of what an unclear create of a contact made."""
        return [contact.id for contact in await self._made_by(intent, None)]

    async def _made_by(self, intent: Intent, order: DesiredOrder | None) -> list[Contact]:
        """Returns what the intent's call may have made, by id: contacts created since it began that carry the order's
        marker, or that are the buyer of `order`. A company's contact may be a person, where the account took no
        organization: then not one that is another buyer's."""
        company = intent.identity.startswith("company:") or bool(order is not None and order.company)
        ours = marker(intent.shop, intent.number)
        found: list[Contact] = []
        async for contact in self._unclear.created_since(intent, company=company):
            marked = (contact.notes or "").startswith(ours) and self._fits(contact, intent)
            if company and not isinstance(contact, Organization):
                bought = marked and not self._is_of_another(contact, intent.identity)
            else:
                bought = marked or (order is not None and self._is_buyer(contact, order))
            if bought:
                found.append(contact)
        return sorted(found, key=lambda one: one.id)

    def _is_buyer(self, contact: Contact, order: DesiredOrder) -> bool:
        if isinstance(contact, Organization) and order.company_numbers:
            return not order.company_numbers.isdisjoint(numbers_of(contact))
        phones = self._sides.side_of(contact).search.phones(contact, order.shop)
        if order.buyer_phone:
            return order.buyer_phone in phones
        return bool(order.buyer_email) and not phones and mail(contact) == order.buyer_email

    def _fits(self, contact: Contact, intent: Intent) -> bool:
        """Returns whether a contact with the order's marker is the one that this intent's call made: an order whose
        buyer was changed in the shop has made two. The phone, e-mail address or number of the buyer tells; a contact
        without it may be theirs, too, as RO App may have refused it, unless it is known as another buyer's."""
        kind, _, value = intent.identity.partition(":")
        if kind == "phone":
            shown = self._sides.side_of(contact).search.phones(contact, intent.shop)
            return value in shown or (not contact.phones and not self._is_of_another(contact, intent.identity))
        if kind == "company":
            return value in numbers_of(contact) or not self._is_of_another(contact, intent.identity)
        if kind == "email":
            refused = not contact.email and not contact.phones and not self._is_of_another(contact, intent.identity)
            return mail(contact) == value or refused
        return True

    def _is_of_another(self, contact: Contact, identity: str) -> bool:
        with self._session.autocommit() as connection:
            same = links.of(connection, self._session.account, contact.id)
        return bool(same) and all(one.key != identity for one in same)

    def _person(self, order: DesiredOrder) -> dict[str, object]:
        if order.shop not in self._last_first:
            with self._session.autocommit() as connection:
                known = desired.names(connection, order.shop, _TELLING)
            self._last_first[order.shop] = is_mostly_last_first(known)
        name = read_name(order.buyer_name, last_first=self._last_first[order.shop])
        first = name.first or order.buyer_phone or order.buyer_email or "?"
        body = {"first_name": first[:_LONGEST_NAME], "last_name": name.last[:_LONGEST_NAME], "email": order.buyer_email}
        return {**{name: text for name, text in body.items() if text}, "notes": marker(order.shop, order.number)}

    def operation(self, order: DesiredOrder) -> Operation:
        """The making of this order's buyer."""
        return self._once.operation("contact", identity(order), order.shop, order.number)


def _organization(order: DesiredOrder) -> dict[str, object]:
    body = {
        "name": order.company[:_LONGEST_NAME],
        "business_registration_number": order.company_number,
        "tax_identification_number": order.company_tax,
        "email": order.buyer_email,
    }
    return {**{name: text for name, text in body.items() if text}, "notes": marker(order.shop, order.number)}


def _written(phone: Phone) -> dict[str, object]:
    """A phone for RO App: nobody gets a message for it."""
    named = {"title": phone.title, "phone": phone.number}
    return {**named, "notify": False, "has_viber": False, "has_whatsapp": False}


def _is_about(error: BadRecord, what: str) -> bool:
    """Whether RO App refuses a call because of this field, as far as it says so: it names it, or nothing at all."""
    named = f"{error.field or ''} {error.message}".casefold()
    return error.code == Code.REFUSED and (error.field is None or what in named)
