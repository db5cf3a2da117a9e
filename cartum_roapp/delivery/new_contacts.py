"""A buyer whom RO App does not know: made once, a person or an organization, and found again after an unclear call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from cartum_roapp.apis.roapp.rows import Contact, Organization
from cartum_roapp.delivery.contact_data import CHANGING, Side, changing, is_about_email, is_about_phones, written
from cartum_roapp.delivery.markers import BEFORE_INTENT, CLOCKS, marker
from cartum_roapp.delivery.once import Before, Once, utc_now
from cartum_roapp.delivery.search import ContactSearch, mail, numbers_of
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord, Code
from cartum_roapp.ledger import contact_matches, desired, intents
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

    def __init__(self, session: AccountSession, once: Once, people: Side, organizations: Side) -> None:
        self._session = session
        self._once = once
        self._people = people
        self._organizations = organizations
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

    def unclear(
        self, order: DesiredOrder, side: Side, match: ContactMatch | None, *, anew: bool = False
    ) -> list[Intent]:
        """Returns the calls of unknown outcome that may make a contact of this buyer, named otherwise (by another phone
        or number, or by the e-mail address alone), or give another contact the buyer's phone or e-mail address;
        `create` looks for the very same one. Where a contact is found (`match`), those that may do so with a phone that
        it lacks (`anew`: with any)."""
        companies = side is self._organizations
        phones = {phone.number for phone in order.phones}
        lacking = phones if match is None or anew else phones - match.settled
        own = identity(order) if match is None else changing(match.ro_id)
        found: list[Intent] = []
        with self._session.autocommit() as connection:
            for intent in self._unsettled(connection):
                kind, _, value = intent.identity.partition(":")
                making = intent.kind == "contact"
                if intent.identity == own or (companies and making and kind != "company"):
                    continue
                if match is not None and intent.identity == identity(order):
                    contact = side.search.seen.get(match.ro_id)
                    if contact is not None and self._is_of_staff(contact, intent):
                        found.append(intent)
                    continue
                # Its buyer may have been changed since: the identity tells who it was then.
                theirs, email = next(iter(desired.buyers(connection, [(intent.shop, intent.number)])), ((), ""))
                numbers = {*theirs, *([value] if kind == "phone" else [])}
                emails = {email, value if kind == "email" else ""} - {""}
                by_email = match is None and order.buyer_email in emails and not (phones and numbers)
                by_company = companies and match is None and making and self._is_company(connection, intent, order)
                if by_email or by_company or not lacking.isdisjoint(numbers):
                    found.append(intent)
        return found

    def _is_of_staff(self, contact: Contact, intent: Intent) -> bool:
        """Returns whether the intent's call has surely not made this contact: its own may arrive yet."""
        return not (contact.notes or "").startswith(marker(intent.shop, intent.number))

    def _unsettled(self, connection: Connection) -> list[Intent]:
        """The calls of unknown outcome that make or change contacts."""
        account = self._session.account
        changes = intents.all_unsettled(connection, account, "change")
        changing = [intent for intent in changes if intent.identity.startswith(CHANGING)]
        return [*intents.all_unsettled(connection, account, "contact"), *changing]

    def _is_company(self, connection: Connection, intent: Intent, order: DesiredOrder) -> bool:
        known = desired.company_numbers(connection, intent.shop, intent.number)
        return not order.company_numbers.isdisjoint(known | {intent.identity.partition(":")[2]})

    async def look_for(self, unclear: Iterable[Intent]) -> None:
        """Brings what these calls have made or changed into the search."""
        for intent in unclear:
            if intent.identity.startswith(CHANGING):
                changed = int(intent.identity.removeprefix(CHANGING))
                for side in (self._people, self._organizations):
                    if changed in side.search.seen:
                        await side.data.current(intent.shop, changed)
                continue
            company = intent.identity.startswith("company:")
            async for contact in self._created_since(intent, company=company):
                self.search_of(contact).note(contact)

    async def _make(
        self, order: DesiredOrder, side: Side, phones: Sequence[Phone], settled: set[str], email: str
    ) -> ContactMatch:
        """Makes the contact with these phones and this e-mail address, or finds what an earlier call made."""
        organization = side is self._organizations
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
                carried = self.search_of(found[0]).phones(found[0], order.shop)
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
                self.search_of(contact).note(contact)
            if len(made) > 1:  # staff have made one as well, or two of our calls were carried out
                await side.search.by_phone(order, None)
            found[:] = made[:1]
            if not found or (self._is_of_staff(found[0], intent) and utc_now() < intent.resend_at):
                return None
            return found[0].id

        await self._once.make(self.operation(order), find=find, send=send, bind=bind)
        made = found[0] if found else side.clients.kind.model_validate({**body, "id": match.ro_id})
        self.search_of(made).note(made)
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
        async for contact in self._created_since(intent, company=company):
            marked = (contact.notes or "").startswith(ours) and self._fits(contact, intent)
            if company and not isinstance(contact, Organization):
                bought = marked and not self._is_of_another(contact, intent.identity)
            else:
                bought = marked or (order is not None and self._is_buyer(contact, order))
            if bought:
                found.append(contact)
        return sorted(found, key=lambda one: one.id)

    async def _created_since(self, intent: Intent, *, company: bool) -> AsyncIterator[Contact]:
        since = intent.sent_at - BEFORE_INTENT - CLOCKS
        for side in (self._organizations, self._people) if company else (self._people,):
            try:
                async for page in side.clients.walk(created_from=since):
                    for contact in page:
                        yield contact
            except BadRecord as error:
                if error.code != Code.NOT_AVAILABLE:
                    raise

    def _is_buyer(self, contact: Contact, order: DesiredOrder) -> bool:
        if isinstance(contact, Organization) and order.company_numbers:
            return not order.company_numbers.isdisjoint(numbers_of(contact))
        phones = self.search_of(contact).phones(contact, order.shop)
        if order.buyer_phone:
            return order.buyer_phone in phones
        return bool(order.buyer_email) and not phones and mail(contact) == order.buyer_email

    def _fits(self, contact: Contact, intent: Intent) -> bool:
        """Returns whether a contact with the order's marker is the one that this intent's call made: an order whose
        buyer was changed in the shop has made two. The phone, e-mail address or number of the buyer tells; a contact
        without it may be theirs, too, as RO App may have refused it, unless it is known as another buyer's."""
        kind, _, value = intent.identity.partition(":")
        if kind == "phone":
            shown = self.search_of(contact).phones(contact, intent.shop)
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

    def search_of(self, contact: Contact) -> ContactSearch:
        """Where contacts of this kind are remembered."""
        return (self._organizations if isinstance(contact, Organization) else self._people).search

    def operation(self, order: DesiredOrder) -> Operation:
        """The making of this order's buyer."""
        return self._once.operation("contact", identity(order), order.shop, order.number)


def identity(order: DesiredOrder) -> str:
    """By what the buyer is known on the account. Order numbers repeat from shop to shop."""
    return f"order:{order.shop}:{order.number}" if order.customer.startswith("order:") else order.customer


def _organization(order: DesiredOrder) -> dict[str, object]:
    body = {
        "name": order.company[:_LONGEST_NAME],
        "business_registration_number": order.company_number,
        "tax_identification_number": order.company_tax,
        "email": order.buyer_email,
    }
    return {**{name: text for name, text in body.items() if text}, "notes": marker(order.shop, order.number)}
