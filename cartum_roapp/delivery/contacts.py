"""The buyer among RO App's contacts: found by phone, then by e-mail, else made.

The same phone is the same buyer, whatever the name; the e-mail decides only when one side has no phone.
Several candidates are held for a person. Nothing of a contact is overwritten: what is missing is added.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import Contact
from cartum_roapp.delivery.markers import BEFORE_INTENT, CLOCKS, marker
from cartum_roapp.delivery.once import Before, Once
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord
from cartum_roapp.ledger import intents, matches
from cartum_roapp.ledger.intents import Intent
from cartum_roapp.ledger.matches import ContactMatch
from cartum_roapp.ledger.wanted import WantedOrder
from cartum_roapp.orders.phones import e164, spellings

T = TypeVar("T")

_LONGEST_NAME = 120  # roapp §7


class ContactBook:
    """Finds or makes the contact of an order's buyer. One buyer at a time, so that two orders of one
    buyer never make two contacts; `ahead` gives the buyers of the next orders, searched in one call."""

    def __init__(
        self,
        session: AccountSession,
        roapp: RoApp,
        once: Once,
        region: Callable[[str], str | None],
        ahead: Callable[[], Iterable[tuple[str, str]]],
    ) -> None:
        self._session = session
        self._roapp = roapp
        self._once = once
        self._region = region
        self._ahead = ahead
        self._turn = asyncio.Lock()
        self._seen: dict[int, Contact] = {}
        self._searched: set[str] = set()
        self._complete = False

    async def resolve(self, order: WantedOrder) -> int:
        """RO App's contact id. Raises BadRecord `contact-ambiguous` when a person has to choose."""
        async with self._turn:
            known = self._known(order)
            if known is None:
                known = await self._adopt(order)
            if known is None:
                return await self._create(order)
            await self._complete_data(order, known)
            return known.ro_id

    def forget(self, ro_id: int) -> None:
        """RO App refused this contact: a person merged or deleted it. The next order searches anew."""
        with self._session.transaction() as connection:
            matches.unbind_contact(connection, self._session.account, ro_id)
        self._seen.pop(ro_id, None)
        self._searched.clear()
        self._complete = False

    def _known(self, order: WantedOrder) -> ContactMatch | None:
        account = self._session.account
        with self._session.transaction() as connection:
            match = matches.contact(connection, account, order.customer)
            if match is not None or not order.buyer_email:
                return match
            same_email = matches.contacts_by_email(connection, account, order.buyer_email)
        usable = {one.ro_id: one for one in same_email if not (one.phone and order.buyer_phone)}
        return self._only(usable.values(), "e-mail", key=lambda one: one.ro_id)

    async def _adopt(self, order: WantedOrder) -> ContactMatch | None:
        await self._search(order)
        region = self._region(order.shop)
        contact = None
        if order.buyer_phone:
            same = [one for one in self._seen.values() if order.buyer_phone in _phones(one, region)]
            contact = self._only(same, "phone number", key=lambda one: one.id)
        if contact is None and order.buyer_email:
            same = [
                one
                for one in self._seen.values()
                if one.email.strip().lower() == order.buyer_email and not (order.buyer_phone and _phones(one, region))
            ]
            contact = self._only(same, "e-mail address", key=lambda one: one.id)
        return None if contact is None else self._match(order, contact)

    def _match(self, order: WantedOrder, contact: Contact) -> ContactMatch:
        phones = _phones(contact, self._region(order.shop))
        phone = order.buyer_phone if order.buyer_phone in phones else next(iter(sorted(phones)), "")
        return ContactMatch(order.customer, contact.id, phone, contact.email.strip().lower())

    async def _search(self, order: WantedOrder) -> None:
        """Fills `_seen` with every contact that may be this buyer, and with those of the next orders."""
        if self._complete or not (order.buyer_phone or order.buyer_email):
            return
        wanted = [(order.buyer_phone, order.buyer_email), *self._ahead()]
        phones = [
            phone for phone in dict.fromkeys(phone for phone, _ in wanted) if phone and phone not in self._searched
        ]
        emails = [
            email for email in dict.fromkeys(email for _, email in wanted) if email and email not in self._searched
        ]
        if order.buyer_phone in phones:
            await self._walk(phones=phones)
        if order.buyer_email in emails and not self._complete:
            await self._walk(emails=emails)

    async def _walk(self, phones: list[str] | None = None, emails: list[str] | None = None) -> None:
        written = [spelling for phone in phones or () for spelling in spellings(phone)]
        digits = {_digits(spelling) for spelling in written}
        stranger = False
        async for page in self._roapp.walk_contacts(phones=written, emails=emails or ()):
            for contact in page:
                self._seen[contact.id] = contact
                if phones:
                    stranger |= not any(_digits(phone) in digits for phone in contact.phones)
                else:
                    stranger |= contact.email.strip().lower() not in (emails or ())
        self._searched.update(phones or emails or ())
        # A row nobody asked for: the filter is ignored (roapp §2), so this was a walk of all contacts.
        self._complete |= stranger

    async def _create(self, order: WantedOrder) -> int:
        first, _, last = (order.buyer_name or order.buyer_phone or order.buyer_email or "?").partition(" ")
        body: dict[str, object] = {
            "first_name": first[:_LONGEST_NAME],
            "last_name": last[:_LONGEST_NAME],
            "notes": marker(order.shop, order.number),
        }
        if order.buyer_phone:
            body["phones"] = [_written(order.buyer_phone)]
        if order.buyer_email:
            body["email"] = order.buyer_email

        async def send(before: Before) -> int:
            return await self._roapp.create_contact(body, before=before)

        def bind(connection: Connection, ro_id: int) -> None:
            matches.bind_contact(
                connection,
                self._session.account,
                order.customer,
                ro_id,
                phone=order.buyer_phone,
                email=order.buyer_email,
            )

        async def find(intent: Intent) -> int | None:
            return await self._made_by(intent, order)

        return await self._once.make(
            "contact", order.customer, shop=order.shop, number=order.number, find=find, send=send, bind=bind
        )

    async def _made_by(self, intent: Intent, order: WantedOrder) -> int | None:
        """What an unclear create made: by its time, then by marker, phone or e-mail."""
        since: datetime = intent.sent_at - BEFORE_INTENT - CLOCKS
        ours = marker(intent.shop, intent.number)
        region = self._region(order.shop)
        async for page in self._roapp.walk_contacts(created_from=since):
            for contact in page:
                if (contact.notes or "").startswith(ours):
                    return contact.id
                if order.buyer_phone and order.buyer_phone in _phones(contact, region):
                    return contact.id
        return None

    async def _complete_data(self, order: WantedOrder, known: ContactMatch) -> None:
        """Adds the phone or e-mail that RO App's contact lacks. A PATCH may be repeated; arrays are replaced
        whole (roapp §3.1), so phones are read, merged and written."""
        lacks_phone = bool(order.buyer_phone) and not known.phone
        lacks_email = bool(order.buyer_email) and not known.email
        if lacks_phone or lacks_email:
            contact = await self._roapp.contact(known.ro_id) or self._seen.get(known.ro_id)
            body: dict[str, object] = {}
            if contact is not None and lacks_phone and not contact.phones:
                body["phones"] = [_written(order.buyer_phone)]
            if contact is not None and lacks_email and not contact.email:
                body["email"] = order.buyer_email
            if body:
                await self._roapp.update_contact(known.ro_id, body)
        with self._session.transaction() as connection:
            stored = matches.contact(connection, self._session.account, order.customer)
            phone, email = known.phone or order.buyer_phone, known.email or order.buyer_email
            if stored is None or (stored.phone, stored.email) != (phone, email):
                account = self._session.account
                matches.bind_contact(connection, account, order.customer, known.ro_id, phone=phone, email=email)
                intents.found(connection, account, "contact", order.customer, known.ro_id)

    @staticmethod
    def _only(candidates: Iterable[T], what: str, *, key: Callable[[T], int]) -> T | None:
        found = sorted(candidates, key=key)
        if len(found) > 1:
            ids = ", ".join(str(key(one)) for one in found)
            raise BadRecord(
                f"several contacts of RO App have the buyer's {what}: {ids}.",
                code="contact-ambiguous",
                field="delivery_phone" if what == "phone number" else "delivery_email",
                fix="Merge them in RO App; the order goes through by itself then.",
            )
        return found[0] if found else None


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())[-9:]


def _phones(contact: Contact, region: str | None) -> set[str]:
    return {phone for phone in (e164(one, region) for one in contact.phones) if phone}


def _written(phone: str) -> dict[str, object]:
    return {"title": "", "phone": phone, "notify": False, "has_viber": False, "has_whatsapp": False}
