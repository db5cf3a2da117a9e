"""What a buyer's contact lacks: phones and the e-mail address. Nothing of it is overwritten.

Arrays are replaced whole (roapp §3.1), so phones are read, merged and written; those that are there as they were read.
A phone or e-mail address that RO App refuses costs itself, not the order: the order's notes have it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cartum_roapp.apis.roapp.clients import Clients
from cartum_roapp.apis.roapp.rows import Contact, Organization
from cartum_roapp.delivery.once import Once
from cartum_roapp.delivery.search import Buyer, ContactSearch, written_as
from cartum_roapp.errors import BadRecord, Code
from cartum_roapp.ledger.contact_matches import ContactMatch
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.orders.phone_field import Phone

#: Begins the identity of a contact's change.
CHANGING = "contact "


@dataclass(frozen=True)
class Side:
    """One kind of clients: people, or organizations."""

    clients: Clients[Contact]
    search: ContactSearch
    data: ContactData

    @classmethod
    def of(
        cls,
        clients: Clients[Contact],
        region: Callable[[str], str | None],
        ahead: Callable[[], Iterable[Buyer]],
        once: Once,
    ) -> Side:
        search = ContactSearch(clients, region, ahead)
        return cls(clients, search, ContactData(clients, search, once))


@dataclass(frozen=True)
class Sides:
    """Both kinds of an account."""

    people: Side
    organizations: Side

    def search_of(self, contact: Contact) -> ContactSearch:
        """Returns where contacts of this kind are remembered."""
        return (self.organizations if isinstance(contact, Organization) else self.people).search


class ContactData:
    """Adds to contacts of one account and kind. A PATCH may be repeated; one that arrives late must not undo a newer
    one, as its phones are the whole list."""

    def __init__(self, clients: Clients[Contact], search: ContactSearch, once: Once) -> None:
        self._clients = clients
        self._once = once
        self._search = search

    async def complete(self, order: DesiredOrder, known: ContactMatch) -> ContactMatch | None:
        """Adds the order's phones and its e-mail address as far as the contact lacks them; returns what is known of it
        now. A phone that another contact has stays there. None, with nothing written, where the contact was found
        without a phone, not chosen by a person, and has one now that is not the buyer's: the e-mail decides no more.
        None, too, where it is gone and another one has its phone: staff merged the two."""
        if is_complete(order, known):
            return known
        numbers = [phone.number for phone in order.phones]
        await self._search.look([number for number in numbers if number not in known.settled])
        contact = await self.current(order.shop, known.ro_id, known.phone)
        if contact is None:  # not shown one by one (roapp §3.1), so it can't be completed either; or merged
            return None if await self._is_merged(order.shop, known) else known
        carried = self._search.phones(contact, order.shop)
        if numbers and not known.settled and carried and carried.isdisjoint(numbers) and known.chosen_at is None:
            return None
        email = "" if known.email else order.buyer_email
        return await self._completed(order, known, contact, known.settled, email)

    async def complete_anew(self, order: DesiredOrder, known: ContactMatch) -> ContactMatch:
        """`complete`, whatever the ledger knows of the contact: what staff took out of it is added again. One that is
        gone in RO App is returned as it is known."""
        await self._search.look([phone.number for phone in order.phones])
        contact = await self.current(order.shop, known.ro_id, known.phone)
        if contact is None:
            return known
        return await self._completed(order, known, contact, frozenset(), order.buyer_email)

    async def _completed(
        self, order: DesiredOrder, known: ContactMatch, contact: Contact, settled: frozenset[str], email: str
    ) -> ContactMatch:
        """Adds what the contact lacks of the order's phones, except the settled ones, and the e-mail address."""
        numbers = [phone.number for phone in order.phones]
        settled |= self._search.phones(contact, order.shop)
        settled |= self._search.of_others(numbers, contact.id, order.shop)
        lacking = [phone for phone in order.phones if phone.number not in settled]
        email = "" if contact.email else email
        added = await self._add(order, contact, lacking, email)
        carried = self._search.phones(added, order.shop)
        phone = known.phone or next((number for number in numbers if number in carried), "")
        refused = email if email and not added.email else ""
        return known.having(phone, known.email or ("" if refused else order.buyer_email), numbers, refused)

    async def _is_merged(self, shop: str, known: ContactMatch) -> bool:
        """Returns whether another contact has the phone of this one, which is gone: staff merged the two."""
        if not known.phone:
            return False
        await self._search.look([known.phone])
        return bool(self._search.of_others([known.phone], known.ro_id, shop))

    async def current(self, shop: str, ro_id: int, phone: str = "") -> Contact | None:
        """Returns the contact as RO App shows it now: by itself or, where it shows no single ones, in its list,
        searched by its `phone`; None if it is in neither."""
        contact = await self._clients.one(ro_id)
        if contact is not None:
            self._search.shows_single = True
        else:
            listed = self._search.seen.get(ro_id)
            phone = phone or (min(self._search.phones(listed, shop), default="") if listed else "")
            contact = await self._listed(ro_id, phone) if phone else listed
        if contact is not None:
            self._search.note(contact)
        return contact

    async def _listed(self, ro_id: int, phone: str) -> Contact | None:
        """Returns the contact from RO App's list, which is searched anew: what staff added to the contact since must
        not be lost. Where RO App can't search by phone, that would be a walk of all contacts: there it is as it was
        listed last."""
        if self._clients.searches() is not False:
            async for page in self._clients.walk(phones=written_as(phone)):
                for contact in page:
                    if contact.id == ro_id:
                        return contact
        else:
            await self._search.look([phone])
        return self._search.seen.get(ro_id)

    async def change(self, order: DesiredOrder, contact: int, body: dict[str, object]) -> None:
        """Sets these fields of the contact. The order tells what a call without an answer may have added."""
        await self._once.change(
            self._once.operation("change", changing(contact), order.shop, order.number),
            send=lambda unclear: self._clients.update(contact, body, unclear),
            bind=lambda connection: None,
        )

    async def _add(self, order: DesiredOrder, contact: Contact, phones: Sequence[Phone], email: str) -> Contact:
        """Returns the contact as it is then: with all of the phones, or with those that RO App takes one by one;
        without the e-mail address where RO App refuses it."""
        body: dict[str, object] = {}
        if phones:
            body["phones"] = merged(contact, phones)
        if email:
            body["email"] = email
        if not body:
            return contact
        try:
            await self.change(order, contact.id, body)
        except BadRecord as error:
            if isinstance(contact, Organization) and is_about_rights(error):
                return contact  # organizations may be looked at, not changed: the order's notes have it all
            if email and is_about_email(error):
                contact = await self._add(order, contact, phones, "") if phones else contact
                return contact if not phones or error.field is not None else await self._add(order, contact, [], email)
            if not phones or not is_about_phones(error):
                raise
            contact = await self._add(order, contact, [], email)
            for phone in phones if len(phones) > 1 else ():
                contact = await self._add(order, contact, [phone], "")
            return contact
        numbers = [*contact.phones, *(phone.number for phone in phones)]
        rows = body.get("phones", contact.phone_rows)
        shown = {"phones": numbers, "phone_rows": rows, "email": email or contact.email}
        contact = contact.model_copy(update=shown)
        self._search.note(contact)
        return contact


def identity(order: DesiredOrder) -> str:
    """By what the buyer is known on the account. Order numbers repeat from shop to shop."""
    return f"order:{order.shop}:{order.number}" if order.customer.startswith("order:") else order.customer


def changing(contact: int) -> str:
    """The identity of a change of this contact (`ledger.intents`)."""
    return f"{CHANGING}{contact}"


def is_complete(order: DesiredOrder, known: ContactMatch) -> bool:
    """Whether nothing that the buyer left is missing there."""
    return known.settled.issuperset(phone.number for phone in order.phones) and bool(
        known.email or order.buyer_email in ("", known.refused_email)
    )


def merged(contact: Contact, phones: Sequence[Phone]) -> list[object]:
    """The contact's phones as they were read, and these."""
    kept = [row if isinstance(row, dict) else {"phone": row} for row in contact.phone_rows]
    return [*kept, *map(written, phones)]


def written(phone: Phone) -> dict[str, object]:
    """A phone for RO App: nobody gets a message for it."""
    named = {"title": phone.title, "phone": phone.number}
    return {**named, "notify": False, "has_viber": False, "has_whatsapp": False}


def is_about_rights(error: BadRecord) -> bool:
    """Whether the key may not do this at all."""
    return error.code == Code.REFUSED and error.field == "api_key"


def is_about_phones(error: BadRecord) -> bool:
    """Whether RO App refuses a call because of its phones, as far as it says so: it names them, or nothing at all."""
    named = f"{error.field or ''} {error.message}".casefold()
    return error.code == Code.REFUSED and (error.field is None or "phone" in named)


def is_about_email(error: BadRecord) -> bool:
    """Whether RO App refuses a call because of its e-mail address, as far as it says so, like `is_about_phones`."""
    named = f"{error.field or ''} {error.message}".casefold()
    return error.code == Code.REFUSED and (error.field is None or "mail" in named)
