"""A buyer whom RO App does not know: made once, a person or an organization, and found again after an unclear call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from cartum_roapp.apis.roapp.rows import Contact, Organization
from cartum_roapp.delivery.contact_data import Side, Sides, identity, is_about_email, is_about_phones, written
from cartum_roapp.delivery.markers import marker
from cartum_roapp.delivery.once import Before, Once, utc_now
from cartum_roapp.delivery.search import mail, numbers_of
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.delivery.unclear_contacts import UnclearContacts, is_of_staff
from cartum_roapp.errors import BadRecord
from cartum_roapp.ledger import contact_matches, desired
from cartum_roapp.ledger.contact_matches import ContactMatch, Reason
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.intents import Intent, Operation
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

    async def create(self, order: DesiredOrder, side: Side) -> ContactMatch:
        """Makes the contact with all phones that no other has, else without the e-mail address, else with one phone
        that RO App takes, else without: which of them it refuses it need not say. The phones that were not tried are
        not settled. Raises what `Once.make` raises."""
        numbers = [phone.number for phone in order.phones]
        await side.search.look(numbers)
        elsewhere = side.search.of_others(numbers, 0, order.shop)
        phones = [phone for phone in order.phones if phone.number not in elsewhere]
        refused: BadRecord | None = None
        all_ = {phone.number for phone in order.phones}
        tries = [phones, *([phone] for phone in phones if len(phones) > 1), *([[]] if phones else [])]
        for given in tries:
            settled = elsewhere if given or not phones else all_
            for email in dict.fromkeys((order.buyer_email, "")):
                try:
                    return await self._make(order, side, given, settled, email)
                except BadRecord as error:
                    refused = refused or error
                    if not ((given and is_about_phones(error)) or (email and is_about_email(error))):
                        raise refused from None
                    if not is_about_email(error):
                        break
        assert refused is not None
        raise refused from None

    async def _make(
        self, order: DesiredOrder, side: Side, phones: Sequence[Phone], settled: set[str], email: str
    ) -> ContactMatch:
        """Makes the contact with these phones and this e-mail address, or finds what an earlier call made."""
        organization = side is self._sides.organizations
        body = _organization(order) if organization else self._person(order)
        if not email:
            body.pop("email", None)
        if phones:
            body["phones"] = [written(phone) for phone in phones]
        found: list[Contact] = []
        match = ContactMatch(identity(order), 0, "", "", organization=organization, reason=Reason.MADE)

        async def send(before: Before) -> int:
            return await side.clients.create(body, before=before)

        def bind(connection: Connection, ro_id: int) -> None:
            nonlocal match
            carried = {phone.number for phone in phones}
            if found:
                carried = self._sides.search_of(found[0]).phones(found[0], order.shop)
                match = replace(match, organization=isinstance(found[0], Organization))
            numbers = [phone.number for phone in order.phones]
            phone = next((number for number in numbers if number in carried), "")
            kept = carried.intersection(numbers) if found else carried | settled
            there = mail(found[0]) if found else email
            refused = order.buyer_email if not there else ""
            match = replace(match, ro_id=ro_id).having(phone, "" if refused else order.buyer_email, kept, refused)
            contact_matches.bind(connection, self._session.account, match)

        async def find(intent: Intent) -> int | None:
            made = await self._made_by(intent, order)
            for contact in made:
                self._sides.search_of(contact).note(contact)
            if len(made) > 1:  # staff have made one as well, or two of our calls were carried out
                await side.search.by_phone(order, None) or await side.search.by_email(order, None)
            found[:] = made[:1]
            if not found or (is_of_staff(found[0], intent) and utc_now() < intent.resend_at):
                return None
            return found[0].id

        await self._once.make(self.operation(order), find=find, send=send, bind=bind)
        made = found[0] if found else side.clients.kind.model_validate({**body, "id": match.ro_id})
        self._sides.search_of(made).note(made)
        return match

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
        phones = self._sides.search_of(contact).phones(contact, order.shop)
        if order.buyer_phone:
            return order.buyer_phone in phones
        return bool(order.buyer_email) and not phones and mail(contact) == order.buyer_email

    def _fits(self, contact: Contact, intent: Intent) -> bool:
        """Returns whether a contact with the order's marker is the one that this intent's call made: an order whose
        buyer was changed in the shop has made two. The phone, e-mail address or number of the buyer tells; a contact
        without it may be theirs, too, as RO App may have refused it, unless it is known as another buyer's."""
        kind, _, value = intent.identity.partition(":")
        if kind == "phone":
            shown = self._sides.search_of(contact).phones(contact, intent.shop)
            return value in shown or (not contact.phones and not self._is_of_another(contact, intent.identity))
        if kind == "company":
            return value in numbers_of(contact) or not self._is_of_another(contact, intent.identity)
        if kind == "email":
            refused = not contact.email and not contact.phones and not self._is_of_another(contact, intent.identity)
            return mail(contact) == value or refused
        return True

    def _is_of_another(self, contact: Contact, identity: str) -> bool:
        with self._session.autocommit() as connection:
            same = contact_matches.of(connection, self._session.account, contact.id)
        return any(one.identity != identity for one in same)

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
