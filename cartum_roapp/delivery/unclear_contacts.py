"""What calls of unknown outcome may have made of contacts, or may yet: looked for, and waited for, before another
contact is made or a phone is taken for somebody's (design §3.5)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from sqlalchemy import Connection

from cartum_roapp.apis.roapp.rows import Contact
from cartum_roapp.delivery.contact_keys import identity
from cartum_roapp.delivery.contact_sides import Side, Sides
from cartum_roapp.delivery.markers import BEFORE_INTENT, CLOCKS, marker
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord, Code
from cartum_roapp.ledger import desired, intents
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.intents import Intent
from cartum_roapp.ledger.links import Link


class UnclearContacts:
    """The calls of one account that make contacts, and of which nobody knows the outcome."""

    def __init__(self, session: AccountSession, sides: Sides) -> None:
        self._session = session
        self._sides = sides

    def of(self, order: DesiredOrder, side: Side, link: Link | None, phones: set[str]) -> list[Intent]:
        """Returns those that may make a contact of this buyer, named otherwise (by another phone or number, or by the
        e-mail address alone); the very same one is looked for where the contact is made. Where a contact is found
        (`link`), those that may make another one with one of these `phones`, and the very same one if it has surely not
        made that contact."""
        with self._session.autocommit() as connection:
            unsettled = intents.all_unsettled(connection, self._session.account, "contact")
            return [one for one in unsettled if self._concerns(connection, one, order, side, link, phones)]

    def _concerns(
        self,
        connection: Connection,
        intent: Intent,
        order: DesiredOrder,
        side: Side,
        link: Link | None,
        phones: set[str],
    ) -> bool:
        """Returns whether `of` has this call."""
        kind, _, value = intent.identity.partition(":")
        if intent.identity == identity(order):
            contact = None if link is None else side.search.seen.get(link.ro_id)
            return contact is not None and is_of_staff(contact, intent)
        if side is self._sides.organizations:
            if kind != "company":
                return False
            if link is None and self._is_company(connection, intent, order):
                return True
        # Its buyer may have been changed since: the identity tells who it was then.
        theirs, email = next(iter(desired.buyers(connection, [(intent.shop, intent.number)])), ((), ""))
        numbers = {*theirs, *([value] if kind == "phone" else [])}
        emails = {email, value if kind == "email" else ""} - {""}
        by_email = link is None and order.buyer_email in emails and not (order.phones and numbers)
        return by_email or not phones.isdisjoint(numbers)

    def _is_company(self, connection: Connection, intent: Intent, order: DesiredOrder) -> bool:
        known = desired.company_numbers(connection, intent.shop, intent.number)
        return not order.company_numbers.isdisjoint(known | {intent.identity.partition(":")[2]})

    async def look_for(self, unclear: Iterable[Intent]) -> None:
        """Brings what these calls have made into the search."""
        for intent in unclear:
            company = intent.identity.startswith("company:")
            async for contact in self.created_since(intent, company=company):
                self._sides.side_of(contact).search.note(contact)

    async def created_since(self, intent: Intent, *, company: bool) -> AsyncIterator[Contact]:
        """Yields the contacts that were created since the call began; organizations, too, where it is a `company`'s."""
        since = intent.sent_at - BEFORE_INTENT - CLOCKS
        for side in (self._sides.organizations, self._sides.people) if company else (self._sides.people,):
            try:
                async for page in side.clients.walk(created_from=since):
                    for contact in page:
                        yield contact
            except BadRecord as error:
                if error.code != Code.NOT_AVAILABLE:
                    raise


def is_of_staff(contact: Contact, intent: Intent) -> bool:
    """Returns whether the contact lacks the marker that the intent's call gave its own, which may arrive yet. Where RO
    App shows no notes, that is so of all, and costs a wait only."""
    return not (contact.notes or "").startswith(marker(intent.shop, intent.number))
