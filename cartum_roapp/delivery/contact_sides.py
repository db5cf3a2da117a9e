"""An account's contacts are of two kinds, people and organizations, each with its calls and what was searched of it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.clients import Clients
from cartum_roapp.apis.roapp.rows import Contact, Organization
from cartum_roapp.delivery.search import ContactSearch, written_as
from cartum_roapp.delivery.upcoming import Upcoming
from cartum_roapp.ledger.links import Link


@dataclass
class Side:
    """One kind. `shows_single`: RO App has shown one of them by itself, which an account may not do (roapp §3.1)."""

    clients: Clients[Contact]
    search: ContactSearch
    shows_single: bool = False

    async def one(self, ro_id: int) -> Contact | None:
        """Returns the contact as RO App shows it by itself; None if it does not."""
        contact = await self.clients.one(ro_id)
        if contact is not None:
            self.shows_single = True
            self.search.note(contact)
        return contact

    async def current(self, shop: str, ro_id: int) -> Contact | None:
        """Returns the contact as RO App shows it now: by itself, else in its list; None if it is in neither."""
        contact = await self.one(ro_id)
        if contact is None:
            seen = self.search.seen.get(ro_id)
            contact = await self.listed(ro_id, self.search.phones(seen, shop) if seen else ()) or (
                None if self.shows_single else seen
            )
        return contact

    async def listed(self, ro_id: int, phones: Collection[str]) -> Contact | None:
        """Returns the contact from RO App's list of these phones. Where RO App can't search by phone that would read
        all contacts: there it is as it was listed last."""
        if not phones:
            return None
        if self.clients.searches() is False:
            await self.search.look(list(phones))
            return self.search.seen.get(ro_id)
        async for page in self.clients.walk(phones=[one for phone in phones for one in written_as(phone)]):
            for contact in page:
                if contact.id == ro_id:
                    self.search.note(contact)
                    return contact
        return None


@dataclass(frozen=True)
class Sides:
    """Both kinds of an account."""

    people: Side
    organizations: Side

    @classmethod
    def of(cls, roapp: RoApp, region: Callable[[str], str | None], upcoming: Upcoming) -> Sides:
        """Returns the sides of this account, of which nothing is searched yet."""
        people, organizations = roapp.people, roapp.organizations
        return cls(
            Side(people, ContactSearch(people, region, upcoming)),
            Side(organizations, ContactSearch(organizations, region, upcoming)),
        )

    def side_of(self, contact: Contact | Link) -> Side:
        """Returns where this one belongs."""
        organization = contact.organization if isinstance(contact, Link) else isinstance(contact, Organization)
        return self.organizations if organization else self.people
