"""Contacts that RO App no longer has: staff merged them into others, or deleted them."""

from __future__ import annotations

from collections.abc import Collection

from cartum_roapp.apis.roapp.rows import Contact
from cartum_roapp.delivery.contact_sides import Sides
from cartum_roapp.delivery.known_contacts import KnownContacts
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.links import Link


class GoneContacts:
    """Finds them, and moves what led to them elsewhere."""

    def __init__(self, known: KnownContacts, sides: Sides) -> None:
        self._known = known
        self._sides = sides

    async def forget(self, shop: str, ro_id: int) -> None:
        """RO App no longer has this contact: a person merged or deleted it. What led to it leads to the only one that
        has its phones now; without one, the next order searches as if nothing had been known."""
        self._sides.people.search.forget()
        self._sides.organizations.search.forget()
        kept = await self._holders(shop, ro_id, ())
        self._known.forget(ro_id, kept[0] if len(kept) == 1 else None)

    async def is_merged(self, order: DesiredOrder, known: Link) -> bool:
        """Returns whether RO App no longer has this contact and shows its phones at another one."""
        holders = await self._holders(order.shop, known.ro_id, [phone.number for phone in order.phones])
        merged = bool(holders) and all(one.id != known.ro_id for one in holders)
        return merged and await self.is_gone(known.ro_id)

    async def _holders(self, shop: str, ro_id: int, asked: Collection[str]) -> list[Contact]:
        """Returns who has the phones that RO App has shown with this contact. `asked` are searched in the same call."""
        known = self._known.of(ro_id)
        phones = sorted(one.phone for one in known if one.is_shown)
        if not phones:
            return []
        search = self._sides.side_of(known[0]).search
        await search.look([*phones, *asked])
        return search.having(phones, shop)

    async def is_gone(self, ro_id: int) -> bool:
        """Whether RO App no longer shows this contact: neither by itself nor, as an account may not show single ones
        (roapp §3.1), in the list of its phones, or of all organizations. False where that can't be determined."""
        known = self._known.of(ro_id)
        side = self._sides.side_of(known[0]) if known else self._sides.people
        if await side.one(ro_id) is not None:
            return False
        phones = [one.phone for one in known if one.is_shown]
        if phones:
            return await side.listed(ro_id, phones) is None
        return await side.search.lacks(ro_id) if side is self._sides.organizations else side.shows_single
