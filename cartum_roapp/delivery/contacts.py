"""The buyer among RO App's contacts: found by phone, then by e-mail, else made.

The same phone is the same buyer, whatever the name; the e-mail decides only when one side has no phone.
Several candidates are held for a person. Nothing of a contact is overwritten: what is missing is added.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import Contact
from cartum_roapp.delivery.keyed_locks import KeyedLocks
from cartum_roapp.delivery.markers import BEFORE_INTENT, CLOCKS, marker
from cartum_roapp.delivery.once import Before, Once
from cartum_roapp.delivery.search import ContactSearch, mail
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.ledger import intents, matches
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.intents import Intent, Operation
from cartum_roapp.ledger.matches import ContactMatch

_LONGEST_NAME = 120  # roapp §7


class ContactBook:
    """Finds or makes the contact of an order's buyer. One order at a time with the same phone or the same e-mail, so
    that two orders of one buyer never make two contacts."""

    def __init__(self, session: AccountSession, roapp: RoApp, once: Once, search: ContactSearch) -> None:
        self._session = session
        self._roapp = roapp
        self._once = once
        self._search = search
        self._locks = KeyedLocks()

    async def resolve(self, order: DesiredOrder, client: int | None = None) -> int:
        """RO App's contact id. `client`: whose the order is in RO App already, if it is there; that decides among
        several candidates, and for a buyer who left neither phone nor e-mail. Raises BadRecord `contact-ambiguous` when
        a person has to choose."""
        async with self._locks.held(order.buyer_phone, order.buyer_email):
            known = self._known(order)
            if known is not None and _complete(order, known):
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
                if await self._complete_data(order, known):
                    return known.ro_id
            known = None if last else await self._adopt(order, None)
        return None

    def forget(self, ro_id: int) -> None:
        """RO App refused this contact: a person merged or deleted it. The next order searches anew."""
        with self._session.transaction() as connection:
            matches.unbind_contact(connection, self._session.account, ro_id)
        self._search.forget()

    def _known(self, order: DesiredOrder) -> ContactMatch | None:
        with self._session.autocommit() as connection:
            return matches.contact(connection, self._session.account, identity(order))

    async def _adopt(self, order: DesiredOrder, client: int | None) -> ContactMatch | None:
        """By phone, then by the e-mail of a contact that we know, then by that of any."""
        if not (order.buyer_phone or order.buyer_email):
            guest = await self._search.guest(order) if client is None else client
            return None if guest is None else ContactMatch(identity(order), guest, "", "")
        contact = await self._search.by_phone(order, client)
        if contact is None:
            known = await self._known_by_email(order)
            if known is not None:
                return known
            contact = await self._search.by_email(order, client)
        return None if contact is None else self._match(order, contact)

    async def _known_by_email(self, order: DesiredOrder) -> ContactMatch | None:
        """None also when several have it: RO App knows better whether a person has merged them."""
        if not order.buyer_email:
            return None
        with self._session.autocommit() as connection:
            same = matches.contacts_by_email(connection, self._session.account, order.buyer_email)
        phones = {one.ro_id: one.phone for one in same if one.phone}
        usable = {one.ro_id for one in same} - (set(phones) if order.buyer_phone else set())
        if len(usable) != 1:
            return None
        (ro_id,) = usable
        if order.buyer_phone:
            contact = await self._contact(ro_id)
            if contact is not None and self._search.phones(contact, order.shop):
                return None  # staff have given it a phone since, another one than this buyer's
        return ContactMatch(identity(order), ro_id, phones.get(ro_id, ""), order.buyer_email)

    def _match(self, order: DesiredOrder, contact: Contact) -> ContactMatch:
        phones = self._search.phones(contact, order.shop)
        phone = order.buyer_phone if order.buyer_phone in phones else next(iter(sorted(phones)), "")
        return ContactMatch(identity(order), contact.id, phone, mail(contact))

    async def _create(self, order: DesiredOrder) -> int:
        first, _, last = (order.buyer_name or order.buyer_phone or order.buyer_email or "?").partition(" ")
        body: dict[str, object] = {
            "first_name": first[:_LONGEST_NAME],
            "notes": marker(order.shop, order.number),
        }
        if last:
            body["last_name"] = last[:_LONGEST_NAME]
        if order.buyer_phone:
            body["phones"] = [_written(order.buyer_phone)]
        if order.buyer_email:
            body["email"] = order.buyer_email

        async def send(before: Before) -> int:
            return await self._roapp.create_contact(body, before=before)

        def bind(connection: Connection, ro_id: int) -> None:
            account = self._session.account
            phone, email = order.buyer_phone, order.buyer_email
            matches.bind_contact(connection, account, identity(order), ro_id, phone=phone, email=email)

        async def find(intent: Intent) -> int | None:
            return next(iter(await self.made_by(intent, order)), None)

        return await self._once.make(self._operation(order), find=find, send=send, bind=bind)

    async def made_by(self, intent: Intent, order: DesiredOrder | None = None) -> list[int]:
        """What an unclear create of a contact made: created since, with its marker, or the order's buyer."""
        since: datetime = intent.sent_at - BEFORE_INTENT - CLOCKS
        ours = marker(intent.shop, intent.number)
        found = []
        async for page in self._roapp.walk_contacts(created_from=since):
            for contact in page:
                marked = (contact.notes or "").startswith(ours) and _fits(contact, intent, self._search)
                if marked or (order is not None and self._is_buyer(contact, order)):
                    found.append(contact.id)
        return sorted(found)

    def _is_buyer(self, contact: Contact, order: DesiredOrder) -> bool:
        phones = self._search.phones(contact, order.shop)
        if order.buyer_phone:
            return order.buyer_phone in phones
        return bool(order.buyer_email) and not phones and mail(contact) == order.buyer_email

    async def _contact(self, ro_id: int) -> Contact | None:
        """As RO App shows it now, else as it was listed."""
        contact = await self._roapp.contact(ro_id)
        if contact is None:
            return self._search.seen.get(ro_id)
        self._search.note(contact)
        return contact

    async def _complete_data(self, order: DesiredOrder, known: ContactMatch) -> bool:
        """Adds the phone or e-mail that RO App's contact lacks. A PATCH may be repeated; arrays are replaced
        whole (roapp §3.1), so phones are read, merged and written. False, with nothing written, where it was found
        without a phone and has one now that is not the buyer's: the e-mail decides no more."""
        phone, email = known.phone or order.buyer_phone, known.email or order.buyer_email
        if (phone, email) != (known.phone, known.email):
            contact = await self._contact(known.ro_id)
            if contact is None:  # not shown one by one (roapp §3.1), so it can't be completed either
                phone, email = known.phone, known.email
            else:
                phones = self._search.phones(contact, order.shop)
                if not known.phone and order.buyer_phone and phones and order.buyer_phone not in phones:
                    return False
                body: dict[str, object] = {}
                if not known.phone and order.buyer_phone and not contact.phones:
                    body["phones"] = [_written(order.buyer_phone)]
                if not known.email and order.buyer_email and not contact.email:
                    body["email"] = order.buyer_email
                if body:
                    await self._roapp.update_contact(known.ro_id, body)
                    shown = {"phones": [order.buyer_phone]} if "phones" in body else {}
                    self._search.note(contact.model_copy(update={**body, **shown}))
        account = self._session.account
        with self._session.transaction() as connection:
            stored = matches.contact(connection, account, identity(order))
            if stored != ContactMatch(identity(order), known.ro_id, phone, email):
                matches.bind_contact(connection, account, identity(order), known.ro_id, phone=phone, email=email)
                intents.settle_found(connection, self._operation(order), known.ro_id)
        return True

    def _operation(self, order: DesiredOrder) -> Operation:
        return self._once.operation("contact", identity(order), order.shop, order.number)


def identity(order: DesiredOrder) -> str:
    """By what the buyer is known on the account. Order numbers repeat from shop to shop."""
    anonymous = not (order.buyer_phone or order.buyer_email)
    return f"order:{order.shop}:{order.number}" if anonymous else order.customer


def _complete(order: DesiredOrder, known: ContactMatch) -> bool:
    """Whether nothing that the buyer left is missing there."""
    return bool(known.phone or not order.buyer_phone) and bool(known.email or not order.buyer_email)


def _fits(contact: Contact, intent: Intent, search: ContactSearch) -> bool:
    """An order whose buyer was changed in the shop has made two contacts, each with the order's marker."""
    kind, _, value = intent.identity.partition(":")
    if kind == "phone":
        return value in search.phones(contact, intent.shop)
    return kind != "email" or mail(contact) == value


def _written(phone: str) -> dict[str, object]:
    return {"title": "", "phone": phone, "notify": False, "has_viber": False, "has_whatsapp": False}
