"""The buyer among RO App's contacts: found by phone, then by e-mail, else made; a company by its number, then by phone.

The same phone is the same buyer, whatever the name; the e-mail decides only when one side has no phone.
Several candidates are held for a person. Nothing of a contact is overwritten: what is missing is added.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import Contact, Organization
from cartum_roapp.delivery.contact_data import Side, Sides, identity, is_complete
from cartum_roapp.delivery.keyed_locks import KeyedLocks
from cartum_roapp.delivery.new_contacts import NewContacts
from cartum_roapp.delivery.once import Once, wait_for
from cartum_roapp.delivery.search import Buyer, Found, mail, numbers_of
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.delivery.unclear_contacts import UnclearContacts
from cartum_roapp.errors import BadRecord, Code, Retryable
from cartum_roapp.ledger import contact_matches, intents
from cartum_roapp.ledger.contact_matches import ContactMatch, Reason
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.intents import Intent

Adopt = Callable[[DesiredOrder, int | None], Awaitable[ContactMatch | None]]


class ContactBook:
    """Finds or makes the contact of an order's buyer. One order at a time with the same phone, e-mail or company, so
    that two orders of one buyer never make two contacts."""

    def __init__(
        self,
        session: AccountSession,
        roapp: RoApp,
        once: Once,
        region: Callable[[str], str | None],
        ahead: Callable[[], Iterable[Buyer]],
    ) -> None:
        self._session = session
        self._people = Side.of(roapp.people, region, ahead, once)
        self._organizations = Side.of(roapp.organizations, region, ahead, once)
        self._sides = Sides(self._people, self._organizations)
        self._unclear = UnclearContacts(session, self._sides)
        self._new = NewContacts(session, once, self._sides, self._unclear)
        self._has_organizations = self._lists_organizations = True
        self._locks = KeyedLocks()

    async def resolve(self, order: DesiredOrder, client: int | None, *, anew: bool) -> ContactMatch:
        """Returns RO App's contact of the order's buyer, with what the buyer left; makes one if there is none.

        `client`: whose the order is in RO App already, if it is there; that decides among several candidates, and for
        a buyer who left neither phone nor e-mail. `anew`: what the contact lacks is looked for in RO App, whatever is
        known of it. Raises BadRecord `contact-ambiguous` when a person has to choose."""
        numbers = (f"company:{number}" for number in order.company_numbers)
        phones = (phone.number for phone in order.phones)
        async with self._locks.held(identity(order), order.buyer_email, *numbers, *phones):
            known = self._known(order)
            if known is not None and anew:
                return await self._completed_anew(order, known)
            if known is not None and is_complete(order, known):
                return known
            if order.company and self._has_organizations:
                try:
                    return await self._resolve(order, client, known, self._organizations, self._adopt_organization)
                except BadRecord as error:
                    if error.code != Code.NOT_AVAILABLE:
                        raise
                    self._has_organizations = False  # the notes name the company
            return await self._resolve(order, client, known, self._people, self._adopt)

    async def _resolve(
        self, order: DesiredOrder, client: int | None, known: ContactMatch | None, side: Side, adopt: Adopt
    ) -> ContactMatch:
        """Returns the contact on this side: the `known` one, one that RO App has (`adopt`), or a new one. If it turned
        out to be somebody else's or merged away, RO App is searched for another one."""
        for one in (known, None, None):
            match = await self._matched(order, client, one, side, adopt)
            if match is None:
                break
            found = await self._completed(order, match)
            if found is not None:
                return found
            client = None  # it may be the one that is gone
        match = await self._new.create(order, side)
        if is_complete(order, match):
            return match
        return await self._completed(order, match) or match  # the phones that were not tried

    async def _matched(
        self, order: DesiredOrder, client: int | None, known: ContactMatch | None, side: Side, adopt: Adopt
    ) -> ContactMatch | None:
        """Returns the `known` contact, else what `adopt` finds. Where that lacks a phone of the buyer's, or there is
        none, it looks once more: for what staff made since the last search, and for what an unclear call for the same
        buyer made. Raises Later while that may still arrive."""
        match = known or await adopt(order, client)
        unclear = self._unclear.of(order, side, match)
        await self._unclear.look_for(unclear)
        named = order.buyer_phone or order.buyer_email or order.company
        if unclear or (match is None and named and await side.search.refresh()):
            match = known or await adopt(order, client)
            wait_for(self._unclear.of(order, side, match))
        return match

    async def _completed(self, order: DesiredOrder, known: ContactMatch) -> ContactMatch | None:
        """Completes the data of the contact, binds the buyer to it and returns it; None if it is somebody else's or
        merged away."""
        async with self._locks.held(f"contact {known.ro_id}"):
            match = await self._side(known).data.complete(order, known)
            if match is not None:
                self._bind(order, match)
            return match

    async def _completed_anew(self, order: DesiredOrder, known: ContactMatch) -> ContactMatch:
        """The same contact, whatever staff have made of it; with what it lacks."""
        side = self._side(known)
        unclear = self._unclear.of(order, side, known, anew=True)
        await self._unclear.look_for(unclear)
        wait_for(unclear)
        async with self._locks.held(f"contact {known.ro_id}"):
            match = await side.data.complete_anew(order, known)
            self._bind(order, match)
            return match

    def _bind(self, order: DesiredOrder, match: ContactMatch) -> None:
        with self._session.transaction() as connection:
            if contact_matches.find(connection, self._session.account, match.identity) != match:
                contact_matches.bind(connection, self._session.account, match)
                intents.settle_found(connection, self._new.operation(order), match.ro_id)

    def forget(self, ro_id: int) -> None:
        """RO App refused this contact: a person merged or deleted it. The next order searches anew."""
        with self._session.transaction() as connection:
            contact_matches.unbind(connection, self._session.account, ro_id)
        self._people.search.forget()
        self._organizations.search.forget()

    async def is_gone(self, ro_id: int) -> bool:
        """Whether RO App shows no such contact any more: neither by itself nor, as an account may not show single ones
        (roapp §3.1), in the list of its phone. False where that can't be told."""
        with self._session.autocommit() as connection:
            known = contact_matches.of(connection, self._session.account, ro_id)
        side = self._side(known[0]) if known else self._people
        if await side.clients.one(ro_id) is not None:
            return False
        phone = known[0].phone if known else ""
        return bool(phone or side.search.shows_single) and await side.data.current("", ro_id, phone) is None

    async def made_by(self, intent: Intent) -> list[int]:
        """The ids of what an unclear create of a contact made."""
        return await self._new.made_by(intent)

    def _side(self, match: ContactMatch) -> Side:
        return self._organizations if match.organization else self._people

    def _known(self, order: DesiredOrder) -> ContactMatch | None:
        with self._session.autocommit() as connection:
            return contact_matches.find(connection, self._session.account, identity(order))

    async def _adopt(self, order: DesiredOrder, client: int | None) -> ContactMatch | None:
        """Returns the person whom RO App has for this buyer: by phone, then by the e-mail of a contact that we know,
        then by that of any, then by the order itself; None if there is none. A buyer may also be an organization's."""
        search = self._people.search
        if not (order.buyer_phone or order.buyer_email):
            return await self._guest(order, client)
        found = await search.by_phone(order, client)
        if found is not None:
            first = order.buyer_phone in search.phones(found.contact, order.shop)
            return self._match(order, found, Reason.PHONE if first else Reason.OTHER_PHONE)
        found = await self._organization_with_phone(order, client)
        if found is not None:
            return self._match(order, found, Reason.ORGANIZATION)
        known = await self._known_by_email(order)
        if known is not None:
            return known
        found = await search.by_email(order, client)
        if found is not None and not (order.buyer_phone and self._is_of_another(order, found.contact)):
            return self._match(order, found, Reason.EMAIL)
        made = None if client is None else await self._made_for(order, client)
        return None if made is None else self._match(order, Found(made, False), Reason.MARKER)

    async def _guest(self, order: DesiredOrder, client: int | None) -> ContactMatch | None:
        """Returns the contact of a buyer who left neither phone nor e-mail: whose the order is, or who has its
        marker."""
        guest = await self._people.search.guest(order) if client is None else client
        reason = Reason.MARKER if client is None else Reason.CLIENT
        return None if guest is None else ContactMatch(identity(order), guest, "", "", reason=reason)

    async def _organization_with_phone(self, order: DesiredOrder, client: int | None) -> Found | None:
        """A private buyer may buy with the phone of an organization that RO App has."""
        if not (order.buyer_phone and self._has_organizations and self._lists_organizations):
            return None
        try:
            await self._organizations.search.read_if_few()
            return await self._organizations.search.by_phone(order, client)
        except Retryable:
            self._lists_organizations = False  # people can be found without
            return None
        except BadRecord as error:
            if error.code != Code.NOT_AVAILABLE:
                raise
            self._has_organizations = False
            return None

    async def _adopt_organization(self, order: DesiredOrder, client: int | None) -> ContactMatch | None:
        """The company's organization by one of its numbers, then by phone: one that has other numbers is another
        company's. RO App has no filter for numbers (roapp §3.1)."""
        numbers, search = order.company_numbers, self._organizations.search

        def same(contact: Contact) -> bool:
            return not numbers.isdisjoint(numbers_of(contact))

        def fits(contact: Contact) -> bool:
            return not numbers or not numbers_of(contact) or same(contact)

        found = await search.by_value("company number", same, client) if numbers else None
        if found is not None:
            return self._match(order, found, Reason.NUMBER)
        found = await search.by_phone(order, client, fits)
        if found is None:
            return None
        if isinstance(found.contact, Organization) and numbers and not numbers_of(found.contact):
            await self._number(order, found.contact)
        return self._match(order, found, Reason.PHONE)

    async def _number(self, order: DesiredOrder, contact: Organization) -> None:
        """Adds the company's numbers, as far as RO App takes them."""
        numbers = {"registration": order.company_number, "tax": order.company_tax}
        names = {"registration": "business_registration_number", "tax": "tax_identification_number"}
        body: dict[str, object] = {names[name]: number for name, number in numbers.items() if number}
        try:
            await self._organizations.data.change(order, contact.id, body)
        except BadRecord as error:
            if error.code != Code.REFUSED:
                raise
            return
        self._organizations.search.note(contact.model_copy(update=numbers))

    async def _made_for(self, order: DesiredOrder, client: int) -> Contact | None:
        """The contact that an earlier life of the ledger made for an order of this shop, without the phone that RO App
        refused."""
        contact = await self._people.data.current(order.shop, client)
        if contact is None or contact.phones or not (contact.notes or "").startswith(f"[{order.shop}:"):
            return None
        strange = mail(contact) not in ("", order.buyer_email) or self._is_of_another(order, contact)
        return None if strange else contact

    def _is_of_another(self, order: DesiredOrder, contact: Contact) -> bool:
        """Whether it is known as the contact of a buyer with another phone, which it need not show: RO App may have
        refused that."""
        with self._session.autocommit() as connection:
            same = contact_matches.of(connection, self._session.account, contact.id)
        return any(one.identity != identity(order) and (one.settled or not order.buyer_phone) for one in same)

    async def _known_by_email(self, order: DesiredOrder) -> ContactMatch | None:
        """Returns the contact that the ledger knows by the buyer's e-mail address. None also when several have it: RO
        App knows better whether a person has merged them."""
        if not order.buyer_email:
            return None
        with self._session.autocommit() as connection:
            known = contact_matches.by_email(connection, self._session.account, order.buyer_email)
        same = {one.ro_id: one for one in known if not one.identity.startswith("company:")}
        phones = {one.ro_id: one.phone for one in known if one.settled}
        usable = set(same) - (set(phones) if order.buyer_phone else set())
        if len(usable) != 1:
            return None
        (ro_id,) = usable
        if order.buyer_phone:
            contact = await self._side(same[ro_id]).data.current(order.shop, ro_id)
            carried = self._sides.search_of(contact).phones(contact, order.shop) if contact is not None else set()
            # The buyer's own may be there by a call of ours that nobody confirmed.
            if carried and carried.isdisjoint(phone.number for phone in order.phones):
                return None  # staff have given it another one since
        match = ContactMatch(identity(order), ro_id, phones.get(ro_id, ""), order.buyer_email)
        return replace(match, organization=same[ro_id].organization, reason=Reason.EMAIL)

    def _match(self, order: DesiredOrder, found: Found, reason: Reason) -> ContactMatch:
        contact = found.contact
        phones = self._sides.search_of(contact).phones(contact, order.shop)
        phone = order.buyer_phone if order.buyer_phone in phones else min(phones, default="")
        numbers = [one.number for one in order.phones if one.number in phones]
        match = ContactMatch(identity(order), contact.id, "", "").having(phone, mail(contact), numbers, "")
        because = Reason.CLIENT if found.chosen else reason
        return replace(match, organization=isinstance(contact, Organization), reason=because)
