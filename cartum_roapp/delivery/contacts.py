"""The buyer among RO App's contacts: found by phone, then by e-mail, else made; a company by its number, then by phone.

The same phone is the same buyer, whatever the name; the e-mail decides only when one side has no phone. Several
candidates are held for a person. Nothing of a contact that is there is changed: what else an order says of its buyer is
remembered in the ledger, so that each of a buyer's phones leads to the same contact.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import Contact, Organization
from cartum_roapp.delivery.contact_keys import address, further, identity, names
from cartum_roapp.delivery.contact_sides import Side, Sides
from cartum_roapp.delivery.creation import Creations, wait_for
from cartum_roapp.delivery.doubt import utc_now
from cartum_roapp.delivery.gone_contacts import GoneContacts
from cartum_roapp.delivery.keyed_locks import KeyedLocks
from cartum_roapp.delivery.known_contacts import KnownContacts
from cartum_roapp.delivery.new_contacts import NewContacts, is_of
from cartum_roapp.delivery.search import Found, ambiguous, numbers_of
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.delivery.upcoming import Upcoming
from cartum_roapp.errors import BadRecord, Code, Retryable
from cartum_roapp.ledger.creations import Creation
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.links import Link, Reason, phone_key

Adopt = Callable[[DesiredOrder, int | None], Awaitable[Link | None]]


class ContactBook:
    """Finds or makes the contact of an order's buyer. One order at a time with the same phone, e-mail or company, so
    that two orders of one buyer never make two contacts."""

    def __init__(
        self,
        session: AccountSession,
        roapp: RoApp,
        creations: Creations,
        region: Callable[[str], str | None],
        upcoming: Upcoming,
    ) -> None:
        self._sides = Sides.of(roapp, region, upcoming)
        self._creations = creations
        self._known = KnownContacts(session, creations)
        self.gone = GoneContacts(self._known, self._sides)
        self.new = NewContacts(session, creations, self._sides)
        self._has_organizations = self._lists_organizations = True
        self._locks = KeyedLocks()

    async def resolve(self, order: DesiredOrder, client: int | None, *, theirs: bool) -> Link:
        """Returns RO App's contact of the order's buyer; makes one if there is none.

        `client`: whose the order is in RO App already, if it is there; that decides among several candidates, and for
        a buyer who left neither phone nor e-mail. It is also the contact of a buyer whom nothing else leads to, where
        the order was surely written for them (`theirs`). Raises BadRecord `contact-ambiguous` when a person has to
        choose."""
        numbers = (f"company:{number}" for number in order.company_numbers)
        phones = (phone.number for phone in order.phones)
        async with self._locks.held(identity(order), order.buyer_email, *numbers, *phones):
            known = self._known.of_buyer(order)
            if known is not None and not self._known.unlinked(order, known):
                self._known.note(order, known, [])
                return known
            if order.company and self._has_organizations:
                try:
                    return await self._resolve(
                        order, client, known, self._sides.organizations, self._adopt_organization, theirs=theirs
                    )
                except BadRecord as error:
                    if error.code != Code.NOT_AVAILABLE:
                        raise
                    self._has_organizations = False  # the notes name the company
            return await self._resolve(order, client, known, self._sides.people, self._adopt, theirs=theirs)

    async def _resolve(
        self, order: DesiredOrder, client: int | None, known: Link | None, side: Side, adopt: Adopt, *, theirs: bool
    ) -> Link:
        """Returns the contact on this side: the `known` one, one that RO App has (`adopt`), or a new one."""
        if known is not None and await self.gone.is_merged(order, known):
            await self.gone.forget(order.shop, known.ro_id)
            known = self._known.of_buyer(order)
        link = await self._matched(order, client, known, side, adopt)
        if (
            link is None
            and theirs
            and client is not None
            and not self._creations.in_doubt("contact", [identity(order)])
        ):
            link = await self._of_client(order, client)
        if link is None:
            return await self.new.create(order, side)
        self._known.note(order, link, await self._further(order, link))
        return link

    async def _matched(
        self, order: DesiredOrder, client: int | None, known: Link | None, side: Side, adopt: Adopt
    ) -> Link | None:
        """Returns the `known` contact, else what `adopt` finds. Where a phone of the buyer's leads to nobody yet, it
        looks once more: for what staff made since the last search, and for what calls in doubt made that share a name
        with the buyer. Raises Later while that may still arrive."""
        link = known or await adopt(order, client)
        doubts = self._doubts(order, link)
        named = order.buyer_phone or order.buyer_email or order.company
        if doubts or (link is None and named and await side.search.refresh()):
            looked_at = utc_now()
            made = await self.new.look(order, doubts)
            found = known or await adopt(order, client)  # a person is asked where staff have made one as well
            link = known or made or found
            wait_for(self._doubts(order, link), looked_at)
        return link

    def _doubts(self, order: DesiredOrder, link: Link | None) -> list[Creation]:
        """Returns the calls that may make another contact of this buyer. An e-mail address alone says that of buyers
        only where one of them has no phone. Where a contact is found (`link`), those are meant that may make one with a
        phone that leads to nobody yet, and the buyer's own, if it has surely not made that contact."""
        phones = {phone_key(one) for one in self._open_phones(order, link)}
        searched = phones | set(names(order) if link is None else [identity(order)])
        contact = None if link is None else self._sides.side_of(link).search.seen.get(link.ro_id)

        def concerns(doubt: Creation) -> bool:
            if doubt.names[0] == identity(order):
                return link is None or (contact is not None and not is_of(contact, doubt))
            shared = searched.intersection(doubt.names)
            by_phone = order.phones and any(name.startswith("phone:") for name in doubt.names)
            return not (by_phone and all(name.startswith("email:") for name in shared))

        return [doubt for doubt in self._creations.in_doubt("contact", searched) if concerns(doubt)]

    def _open_phones(self, order: DesiredOrder, link: Link | None) -> set[str]:
        """The order's phones of which it is not known whether another contact has them, or may get them yet."""
        phones = {phone.number for phone in order.phones}
        if link is None:
            return phones
        contact = self._sides.side_of(link).search.seen.get(link.ro_id)
        shown = set() if contact is None else self._sides.side_of(link).search.phones(contact, order.shop)
        return phones.intersection(self._known.unlinked(order, link)) - shown

    async def _further(self, order: DesiredOrder, link: Link) -> list[Link]:
        """Returns what else of the order leads to the buyer's contact from now on. A phone that somebody else has in RO
        App leads there, one that several have nowhere."""
        open_phones = self._known.unlinked(order, link)
        sides = [self._sides.people, *([self._sides.organizations] if link.organization else [])]
        for side in sides if open_phones else []:
            await side.search.look(sorted(open_phones))
        more = []
        for key in further(order, organization=link.organization):
            one = replace(link, key=key, reason=Reason.NAMED, chosen_at=None)
            holders = [holder for side in sides for holder in side.search.having([one.phone], order.shop)]
            mine = [holder for holder in holders if holder.id == link.ro_id]
            if one.phone in open_phones and len(mine or holders) == 1:
                holder = (mine or holders)[0]
                other = isinstance(holder, Organization)
                more.append(replace(one, ro_id=holder.id, organization=other, reason=Reason.PHONE))
            elif not one.phone or (one.phone in open_phones and not holders):
                more.append(one)
        return more

    async def _adopt(self, order: DesiredOrder, client: int | None) -> Link | None:
        """Returns the person whom RO App has for this buyer: by phone, by a phone that the ledger knows, then by the
        e-mail address of a contact that we know, then by that of any; None if there is none. A buyer may also be an
        organization's."""
        search = self._sides.people.search
        if not (order.buyer_phone or order.buyer_email):
            return await self._guest(order, client)
        found = await search.by_phone(order, client)
        if found is not None:
            first = order.buyer_phone in search.phones(found.contact, order.shop)
            return self._link(order, found, Reason.PHONE if first else Reason.OTHER_PHONE)
        known = await self._by_another_key(order, client, "phone number", organization=False)
        if known is not None:
            return replace(known, reason=Reason.OTHER_PHONE)
        found = await self._organization_with_phone(order, client)
        if found is not None:
            return self._link(order, found, Reason.ORGANIZATION)
        known = await self._known_by_email(order)
        if known is not None:
            return known
        found = await search.by_email(order, client)
        if found is None or (order.buyer_phone and await self._has_another_phone(order, found.contact.id)):
            return None
        return self._link(order, found, Reason.EMAIL)

    async def _guest(self, order: DesiredOrder, client: int | None) -> Link | None:
        """Returns the contact of a buyer who left neither phone nor e-mail: whose the order is, or who has its
        marker."""
        guest = await self._sides.people.search.guest(order) if client is None else client
        reason = Reason.MARKER if client is None else Reason.CLIENT
        return None if guest is None else Link(identity(order), guest, False, reason)

    async def _by_another_key(
        self, order: DesiredOrder, client: int | None, what: str, *, organization: bool
    ) -> Link | None:
        """Returns the contact that the ledger knows by another phone, or number, of the order, as the buyer's; among
        several it chooses and raises like `ContactSearch.by_phone`."""
        keys = further(order, organization=organization)
        found = {one.ro_id: one for one in self._known.by_keys(keys)}
        if len(found) > 1:
            found = {ro_id: one for ro_id, one in found.items() if not await self.gone.is_gone(ro_id)}
        if len(found) > 1 and client in found:
            found = {client: found[client]}
        if len(found) > 1:
            raise ambiguous(what, found)
        return next((replace(one, key=identity(order), chosen_at=None) for one in found.values()), None)

    async def _organization_with_phone(self, order: DesiredOrder, client: int | None) -> Found | None:
        """A private buyer may buy with the phone of an organization that RO App has."""
        if not (order.buyer_phone and self._has_organizations and self._lists_organizations):
            return None
        search = self._sides.organizations.search
        try:
            return await search.by_phone(order, client)
        except Retryable:
            self._lists_organizations = False  # people can be found without
            return None
        except BadRecord as error:
            if error.code != Code.NOT_AVAILABLE:
                raise
            self._has_organizations = False
            return None

    async def _adopt_organization(self, order: DesiredOrder, client: int | None) -> Link | None:
        """The company's organization by one of its numbers, then by phone: one that has other numbers is another
        company's. RO App has no filter for numbers (roapp §3.1)."""
        numbers, search = order.company_numbers, self._sides.organizations.search

        def same(contact: Contact) -> bool:
            return not numbers.isdisjoint(numbers_of(contact))

        def fits(contact: Contact) -> bool:
            return not numbers or not numbers_of(contact) or same(contact)

        found = await search.by_value("company number", same, client) if numbers else None
        if found is not None:
            return self._link(order, found, Reason.NUMBER)
        known = await self._by_another_key(order, client, "company number", organization=True)
        if known is not None:
            return known
        found = await search.by_phone(order, client, fits)
        return None if found is None else self._link(order, found, Reason.PHONE)

    async def _of_client(self, order: DesiredOrder, client: int) -> Link:
        """The client of RO App's order, where an earlier ledger knew the reason."""
        sides = [self._sides.people, *([self._sides.organizations] if self._has_organizations else [])]
        for side in sides:
            if await side.current(order.shop, client) is not None:
                return Link(identity(order), client, side is self._sides.organizations, Reason.CLIENT)
        # An account need not show single ones (roapp §3.1).
        return Link(identity(order), client, bool(order.company and self._has_organizations), Reason.CLIENT)

    async def _known_by_email(self, order: DesiredOrder) -> Link | None:
        """Returns the only contact without a phone that the ledger knows by the buyer's e-mail address. None also where
        the buyer has no phone: there several have the address, and RO App knows better whether a person has merged
        them."""
        key = address(order)
        if key is None or not order.buyer_phone:
            return None
        found = {one.ro_id: one for one in self._known.by_keys([key])}
        usable = [one for one in found.values() if not self._known.is_by_another_phone(order, one.ro_id)]
        if len(usable) != 1 or await self._has_another_phone(order, usable[0].ro_id):
            return None
        return replace(usable[0], key=identity(order), reason=Reason.EMAIL, chosen_at=None)

    async def _has_another_phone(self, order: DesiredOrder, ro_id: int) -> bool:
        """Whether it is the contact of a buyer with another phone, by what is known or by what RO App shows now."""
        known = self._known.of(ro_id)
        if self._known.is_by_another_phone(order, ro_id):
            return True
        side = self._sides.side_of(known[0]) if known else self._sides.people
        contact = await side.current(order.shop, ro_id)
        shown = set() if contact is None else side.search.phones(contact, order.shop)
        return bool(shown) and shown.isdisjoint(phone.number for phone in order.phones)

    def _link(self, order: DesiredOrder, found: Found, reason: Reason) -> Link:
        because = Reason.CLIENT if found.chosen else reason
        return Link(identity(order), found.contact.id, isinstance(found.contact, Organization), because)
