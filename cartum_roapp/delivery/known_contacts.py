"""What the ledger knows of an account's buyers: which keys lead to which contact, and which lead nowhere yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from cartum_roapp.apis.roapp.rows import Contact, Organization
from cartum_roapp.delivery.contact_keys import address, further, identity
from cartum_roapp.delivery.creation import Creations
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.ledger import links
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.links import Link, Reason


class KnownContacts:
    """The links of one account's contacts, read and written on the connection of its lock."""

    def __init__(self, session: AccountSession, creations: Creations) -> None:
        self._session = session
        self._creations = creations

    def of(self, ro_id: int) -> list[Link]:
        """Returns all that leads to this contact."""
        with self._session.autocommit() as connection:
            return links.of(connection, self._session.account, ro_id)

    def by_keys(self, keys: Collection[str]) -> list[Link]:
        """Returns where these keys lead."""
        with self._session.autocommit() as connection:
            return links.by_keys(connection, self._session.account, keys)

    def of_buyer(self, order: DesiredOrder) -> Link | None:
        """Returns where the identity of the buyer leads. An e-mail address that orders of one other buyer named decides
        from now on."""
        key = identity(order)
        known = links.decided(self.by_keys([key]), key)
        if known is not None and known.reason == Reason.NAMED and not known.phone:
            return replace(known, reason=Reason.EMAIL)
        return known

    def unlinked(self, order: DesiredOrder, link: Link) -> set[str]:
        """Returns the order's phones that lead nowhere yet and are to lead to a contact."""
        keys = {key: key.partition(":")[2] for key in (link.key, *further(order, organization=link.organization))}
        phones = {key: number for key, number in keys.items() if key.startswith("phone:")}
        return {phones[key] for key in phones.keys() - {one.key for one in self.by_keys(phones)}}

    def is_by_another_phone(self, order: DesiredOrder, ro_id: int) -> bool:
        """Returns whether it is the contact of a buyer with another phone, which RO App need not show there."""
        phones = {phone.number for phone in order.phones}
        return any(one.phone and one.phone not in phones for one in self.of(ro_id))

    def note(self, order: DesiredOrder, link: Link, more: Sequence[Link]) -> None:
        """The identity of the buyer leads to this contact, and what else the order says of them leads where `more`
        says. Writes what is new of it; a call that was to make the contact is no longer in doubt."""
        more = [*more, *named_address(order, link)]
        found = self.by_keys([link.key, *(one.key for one in more)])
        known = {(one.key, one.ro_id) for one in found}
        more = [one for one in more if (one.key, one.ro_id) not in known]
        if link in found and not more:
            return
        with self._session.transaction() as connection:
            if link not in found:
                links.store(connection, self._session.account, link)
                self._creations.end(connection, "contact", link.key)
            links.add(connection, self._session.account, more)

    def forget(self, ro_id: int, kept: Contact | None) -> None:
        """RO App no longer has this contact. What led to it leads to `kept`, into which staff merged it, or nowhere."""
        account = self._session.account
        with self._session.transaction() as connection:
            if kept is None:
                links.forget(connection, account, ro_id)
            else:
                links.move(connection, account, ro_id, kept.id, organization=isinstance(kept, Organization))


def named_address(order: DesiredOrder, link: Link) -> list[Link]:
    """The e-mail address of the order leads to its buyer's contact, too, unless it is another buyer's as well."""
    key = address(order)
    return [] if key is None else [replace(link, key=key, reason=Reason.NAMED, chosen_at=None)]
