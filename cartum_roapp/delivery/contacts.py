"""The buyer among RO App's contacts: found by phone, then by e-mail, else made.

The same phone is the same buyer, whatever the name; the e-mail decides only when one side has no phone.
Several candidates are held for a person. Nothing of a contact is overwritten: what is missing is added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import Contact
from cartum_roapp.delivery.contact_data import ContactData, is_about_phones, is_complete, written
from cartum_roapp.delivery.keyed_locks import KeyedLocks
from cartum_roapp.delivery.markers import BEFORE_INTENT, CLOCKS, marker
from cartum_roapp.delivery.once import Before, Once
from cartum_roapp.delivery.search import ContactSearch, mail
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord
from cartum_roapp.ledger import contact_matches, intents
from cartum_roapp.ledger.contact_matches import ContactMatch
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.intents import Intent, Operation
from cartum_roapp.orders.phone_field import Phone

_LONGEST_NAME = 120  # roapp §7


class ContactBook:
    """Finds or makes the contact of an order's buyer. One order at a time with the same phone or the same e-mail, so
    that two orders of one buyer never make two contacts."""

    def __init__(self, session: AccountSession, roapp: RoApp, once: Once, search: ContactSearch) -> None:
        self._session = session
        self._roapp = roapp
        self._once = once
        self._search = search
        self._data = ContactData(roapp, search)
        self._locks = KeyedLocks()

    async def resolve(self, order: DesiredOrder, client: int | None = None) -> int:
        """RO App's contact id. `client`: whose the order is in RO App already, if it is there; that decides among
        several candidates, and for a buyer who left neither phone nor e-mail. Raises BadRecord `contact-ambiguous` when
        a person has to choose."""
        async with self._locks.held(*(phone.number for phone in order.phones), order.buyer_email):
            known = self._known(order)
            if known is not None and is_complete(order, known):
                return known.ro_id
            found = await self._settled(order, known or await self._adopt(order, client))
            if found is None and (order.buyer_phone or order.buyer_email) and await self._search.refresh():
                found = await self._settled(order, await self._adopt(order, client))
            return await self._create(order) if found is None else found

    async def _settled(self, order: DesiredOrder, known: ContactMatch | None) -> int | None:
        """The id of the contact, with its data completed; None where there is none. One that turned out to be
        somebody else's is looked past, once."""
        for last in (False, True):
            if known is None:
                break
            async with self._locks.held(f"contact {known.ro_id}"):
                match = await self._data.complete(order, known)
                if match is not None:
                    self._bind(order, match)
                    return match.ro_id
            known = None if last else await self._adopt(order, None)
        return None

    def _bind(self, order: DesiredOrder, match: ContactMatch) -> None:
        with self._session.transaction() as connection:
            if contact_matches.find(connection, self._session.account, match.identity) != match:
                contact_matches.bind(connection, self._session.account, match)
                intents.settle_found(connection, self._operation(order), match.ro_id)

    def forget(self, ro_id: int) -> None:
        """RO App refused this contact: a person merged or deleted it. The next order searches anew."""
        with self._session.transaction() as connection:
            contact_matches.unbind(connection, self._session.account, ro_id)
        self._search.forget()

    def _known(self, order: DesiredOrder) -> ContactMatch | None:
        with self._session.autocommit() as connection:
            return contact_matches.find(connection, self._session.account, identity(order))

    async def _adopt(self, order: DesiredOrder, client: int | None) -> ContactMatch | None:
        """By phone, then by the e-mail of a contact that we know, then by that of any, then by the order itself."""
        if not (order.buyer_phone or order.buyer_email):
            guest = await self._search.guest(order) if client is None else client
            return None if guest is None else ContactMatch(identity(order), guest, "", "")
        contact = await self._search.by_phone(order, client)
        if contact is None:
            known = await self._known_by_email(order)
            if known is not None:
                return known
            contact = await self._search.by_email(order, client)
            if contact is not None and order.buyer_phone and self._is_of_another(order, contact):
                contact = None
        if contact is None and client is not None:
            contact = await self._made_for(order, client)
        return None if contact is None else self._match(order, contact)

    async def _made_for(self, order: DesiredOrder, client: int) -> Contact | None:
        """The contact that an earlier life of the ledger made for this order, without the phone that RO App refused."""
        contact = await self._data.current(order.shop, client)
        if contact is None or contact.phones or not (contact.notes or "").startswith(marker(order.shop, order.number)):
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
        """None also when several have it: RO App knows better whether a person has merged them."""
        if not order.buyer_email:
            return None
        with self._session.autocommit() as connection:
            same = contact_matches.by_email(connection, self._session.account, order.buyer_email)
        phones = {one.ro_id: one.phone for one in same if one.settled}
        usable = {one.ro_id for one in same} - (set(phones) if order.buyer_phone else set())
        if len(usable) != 1:
            return None
        (ro_id,) = usable
        if order.buyer_phone:
            contact = await self._data.current(order.shop, ro_id)
            if contact is not None and self._search.phones(contact, order.shop):
                return None  # staff have given it a phone since, another one than this buyer's
        return ContactMatch(identity(order), ro_id, phones.get(ro_id, ""), order.buyer_email)

    def _match(self, order: DesiredOrder, contact: Contact) -> ContactMatch:
        phones = self._search.phones(contact, order.shop)
        phone = order.buyer_phone if order.buyer_phone in phones else next(iter(sorted(phones)), "")
        return ContactMatch(identity(order), contact.id, phone, mail(contact))

    async def _create(self, order: DesiredOrder) -> int:
        """Makes the contact with all phones, else with one that RO App takes, else without: which of them it refuses it
        need not say."""
        phones = order.phones
        refused: BadRecord | None = None
        for given in (phones, *([phone] for phone in phones if len(phones) > 1), ()):
            try:
                match = await self._make(order, given)
            except BadRecord as error:
                refused = refused or error
                if not given or not is_about_phones(error):
                    raise refused from None
                continue
            if is_complete(order, match):
                return match.ro_id
            return await self._settled(order, match) or match.ro_id  # the phones that were not tried
        raise AssertionError("the last try returns or raises")

    async def _make(self, order: DesiredOrder, phones: Sequence[Phone]) -> ContactMatch:
        """Makes the contact with these of its phones, or finds what an earlier call made. Without any, all of them are
        known to be refused."""
        body = _body(order, phones)
        found: list[Contact] = []
        match = ContactMatch(identity(order), 0, phones[0].number if phones else "", order.buyer_email)

        async def send(before: Before) -> int:
            return await self._roapp.create_contact(body, before=before)

        def bind(connection: Connection, ro_id: int) -> None:
            nonlocal match
            numbers = [phone.number for phone in order.phones]
            carried = self._search.phones(found[0], order.shop) if found else {phone.number for phone in phones}
            phone = next((number for number in numbers if number in carried), "")
            settled = carried.intersection(numbers) if phones or found else numbers
            match = replace(match, ro_id=ro_id).having(phone, order.buyer_email, settled)
            contact_matches.bind(connection, self._session.account, match)

        async def find(intent: Intent) -> int | None:
            found[:] = (await self._made_by(intent, order))[:1]
            return found[0].id if found else None

        await self._once.make(self._operation(order), find=find, send=send, bind=bind)
        self._search.note(found[0] if found else Contact.model_validate({**body, "id": match.ro_id}))
        return match

    async def made_by(self, intent: Intent) -> list[int]:
        """The ids of what an unclear create of a contact made."""
        return [contact.id for contact in await self._made_by(intent, None)]

    async def _made_by(self, intent: Intent, order: DesiredOrder | None) -> list[Contact]:
        """Created since, with its marker, or the order's buyer."""
        since: datetime = intent.sent_at - BEFORE_INTENT - CLOCKS
        ours = marker(intent.shop, intent.number)
        found = []
        async for page in self._roapp.walk_contacts(created_from=since):
            for contact in page:
                marked = (contact.notes or "").startswith(ours) and _fits(contact, intent, self._search)
                if marked or (order is not None and self._is_buyer(contact, order)):
                    found.append(contact)
        return sorted(found, key=lambda one: one.id)

    def _is_buyer(self, contact: Contact, order: DesiredOrder) -> bool:
        phones = self._search.phones(contact, order.shop)
        if order.buyer_phone:
            return order.buyer_phone in phones
        return bool(order.buyer_email) and not phones and mail(contact) == order.buyer_email

    def _operation(self, order: DesiredOrder) -> Operation:
        return self._once.operation("contact", identity(order), order.shop, order.number)


def identity(order: DesiredOrder) -> str:
    """By what the buyer is known on the account. Order numbers repeat from shop to shop."""
    anonymous = not (order.buyer_phone or order.buyer_email)
    return f"order:{order.shop}:{order.number}" if anonymous else order.customer


def _body(order: DesiredOrder, phones: Sequence[Phone]) -> dict[str, object]:
    first, _, last = (order.buyer_name or order.buyer_phone or order.buyer_email or "?").partition(" ")
    body: dict[str, object] = {"first_name": first[:_LONGEST_NAME], "notes": marker(order.shop, order.number)}
    if last:
        body["last_name"] = last[:_LONGEST_NAME]
    if phones:
        body["phones"] = [written(phone) for phone in phones]
    if order.buyer_email:
        body["email"] = order.buyer_email
    return body


def _fits(contact: Contact, intent: Intent, search: ContactSearch) -> bool:
    """An order whose buyer was changed in the shop has made two contacts, each with the order's marker. One without a
    phone was made so because RO App refuses it."""
    kind, _, value = intent.identity.partition(":")
    if kind == "phone":
        return not contact.phones or value in search.phones(contact, intent.shop)
    return kind != "email" or mail(contact) == value
