"""The contacts of RO App that may be a buyer: searched by phone in all spellings and by e-mail, many buyers a call,
every row compared again (roapp §2)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from cartum_roapp.apis.roapp.clients import Clients
from cartum_roapp.apis.roapp.paging import LongList
from cartum_roapp.apis.roapp.rows import Contact, Organization
from cartum_roapp.delivery.doubt import utc_now
from cartum_roapp.delivery.markers import BEFORE_ORDER, CLOCKS, marker
from cartum_roapp.delivery.side_by_side import side_by_side
from cartum_roapp.delivery.upcoming import Upcoming
from cartum_roapp.errors import BadRecord, Code, Question
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.orders.companies import comparable
from cartum_roapp.orders.phones import e164, spellings

# What staff added since a search that is older than this is read before a contact is made.
FRESH_FOR = timedelta(minutes=2)
#: How many buyers one call searches, roughly: each spelling of a phone is one of its 50 values.
_BUYERS_A_CALL = 5
#: More pages of contacts are not read at the first look, however many buyers are to be searched.
_MOST_PAGES = 100
#: The shortest time for which a complete reading counts: staff may change contacts meanwhile.
_KNOWN_FOR = timedelta(minutes=10)
#: A reading that took long is not repeated before this many times its duration.
SPACED = 10


class Found(NamedTuple):
    """A contact; `chosen` among several because it is the order's client in RO App."""

    contact: Contact
    chosen: bool


_FIELDS = {"phone number": "delivery_phone", "e-mail address": "delivery_email"}


class ContactSearch:
    """What was searched, of one kind of clients, is remembered while the account's lock is held, which may be hours; a
    complete reading for a while. The buyers of the next orders are searched in the same calls. Where reading all
    contacts takes no more calls than searching the buyers of all orders that RO App lacks, they are read instead.
    `region` is asked for the country of a shop's phones."""

    def __init__(self, clients: Clients[Contact], region: Callable[[str], str | None], upcoming: Upcoming) -> None:
        self._clients = clients
        self._region = region
        self._upcoming = upcoming
        self._is_first_look = True
        self._complete_until: datetime | None = None
        self._searched: set[str] = set()
        self._complete = False
        self._searching = asyncio.Lock()
        self._read_at: datetime | None = None  # what was made in RO App since then may be missing in `seen`
        self._newest: datetime | None = None  # by RO App's clock: what is made after `_read_at` is not older than this
        self._fresh_for = FRESH_FOR
        self.seen: dict[int, Contact] = {}
        self._guests: dict[str, int] = {}  # marker → id
        self._guests_since: datetime | None = None

    async def by_phone(
        self, order: DesiredOrder, client: int | None, fits: Callable[[Contact], bool] = lambda contact: True
    ) -> Found | None:
        """The contact that `fits` with the buyer's phone, whatever its name: the order's first phone decides, and where
        nobody has that, the others together; of several contacts that of the `client` whose the order is in RO App
        already. Raises BadRecord `contact-ambiguous`."""
        numbers = [phone.number for phone in order.phones]
        for sought in (numbers[:1], numbers[1:]):

            def same(contact: Contact, sought: Sequence[str] = sought) -> bool:
                return fits(contact) and not self.phones(contact, order.shop).isdisjoint(sought)

            found = await self._only(lambda: self._search(numbers), "phone number", same, client) if sought else None
            if found is not None:
                return found
        return None

    async def look(self, numbers: Sequence[str]) -> None:
        """Brings every contact that may have one of these phones into `seen`."""
        async with self._searching:
            await self._search(numbers)

    def having(self, phones: Collection[str], shop: str) -> list[Contact]:
        """The contacts that have one of these phones, after `look`."""
        return [one for one in self.seen.values() if not self.phones(one, shop).isdisjoint(phones)]

    async def by_email(self, order: DesiredOrder, client: int | None) -> Found | None:
        """Returns the contact with the buyer's e-mail address, where the contact or the buyer has no phone; among
        several it chooses and raises like `by_phone`."""

        def same(contact: Contact) -> bool:
            return mail(contact) == order.buyer_email and not (order.buyer_phone and self.phones(contact, order.shop))

        if not order.buyer_email:
            return None
        return await self._only(lambda: self._search([order.buyer_email]), "e-mail address", same, client)

    async def by_value(self, what: str, same: Callable[[Contact], bool], client: int | None) -> Found | None:
        """Returns the contact that is the `same` by a value for which RO App has no filter, among all contacts; `what`
        is that value's name in messages. Among several it chooses and raises like `by_phone`."""
        return await self._only(self.read_all, what, same, client)

    async def read_all(self, most: int | None = None) -> bool:
        """Reads all contacts; False where they were read already. With `most` it gives up where they fill more
        pages."""
        if self._complete:
            return False
        self._read_at = self._read_at or utc_now()
        seen = self.seen
        try:
            async for page in self._clients.walk() if most is None else self._clients.walk_short(most):
                seen.update((contact.id, contact) for contact in page)
        except LongList:
            return True
        self._complete = self._complete or seen is self.seen
        return True

    async def lacks(self, ro_id: int) -> bool:
        """Reads all contacts again. Returns whether this one is not among them."""
        async with self._searching:
            self.forget()
            await self.read_all()
            return ro_id not in self.seen

    async def guest(self, order: DesiredOrder) -> int | None:
        """The contact that an earlier life of the ledger made for a buyer who left neither phone nor e-mail: only the
        marker in its notes shows whose it is."""
        since = order.created_at - BEFORE_ORDER
        async with self._searching:
            if self._guests_since is None or since < self._guests_since:
                async for page in self._clients.walk(created_from=since):
                    guests = (contact for contact in page if not (contact.phones or contact.email))
                    self._guests.update((first_token(contact), contact.id) for contact in guests)
                self._guests_since = since
        return self._guests.get(marker(order.shop, order.number))

    def phones(self, contact: Contact, shop: str) -> set[str]:
        """Its phones as E.164, those that can be read."""
        region = self._region(shop)
        return {phone for phone in (e164(one, region) for one in contact.phones) if phone}

    def note(self, contact: Contact) -> None:
        """Notes a newer reading of this contact."""
        self.seen[contact.id] = contact

    def forget(self) -> None:
        """RO App's contacts changed: search again."""
        self.seen, self._searched, self._complete = {}, set(), False
        self._read_at = self._newest = None

    async def refresh(self) -> bool:
        """Reads the contacts that were made since the search, where that is a while ago. True when it did, so that it
        is worth another look."""
        async with self._searching:
            began, read_at, seen = utc_now(), self._read_at, self.seen
            if read_at is None or began - read_at < self._fresh_for:
                return False
            newest = max((one.created_at for one in seen.values() if one.created_at is not None), default=None)
            since = read_at - CLOCKS if self._newest is None else min(self._newest, read_at)
            async for page in self._clients.walk(created_from=since):
                seen.update((contact.id, contact) for contact in page)
            if seen is self.seen:
                self._read_at, self._newest = began, newest
            # Where this filter is ignored it was a walk of all contacts: not too often.
            self._fresh_for = max(FRESH_FOR, SPACED * (utc_now() - began))
            return True

    async def _only(
        self, bring: Callable[[], Awaitable[bool]], what: str, same: Callable[[Contact], bool], client: int | None
    ) -> Found | None:
        """Runs `bring`, which brings the candidates into `seen` and returns whether it had to ask RO App for them.
        Returns the only one that is the `same`, or the `client` among several. Raises BadRecord `contact-ambiguous`."""
        async with self._searching:  # the next one may be among those that are searched ahead
            fresh = await bring()
            found = sorted(filter(same, self.seen.values()), key=lambda one: one.id)
            if len(found) > 1 and not fresh:  # a person may have merged them since
                self.forget()
                await bring()
                found = sorted(filter(same, self.seen.values()), key=lambda one: one.id)
        chosen = [one for one in found if one.id == client] if len(found) > 1 else []
        found = chosen or found
        if len(found) > 1:
            raise ambiguous(what, [one.id for one in found])
        return Found(found[0], bool(chosen)) if found else None

    async def _search(self, sought: Sequence[str]) -> bool:
        """Brings every contact that may have one of these phones, or this e-mail, into `seen`; False where they were
        there already."""
        fresh = False
        if self._complete and self._complete_until is not None and utc_now() > self._complete_until:
            self.forget()
            self._is_first_look = True
        if self._is_first_look:
            self._is_first_look, began = False, utc_now()
            fresh = await self.read_all(max(1, min(_MOST_PAGES, self._upcoming.to_create() // _BUYERS_A_CALL)))
            now = utc_now()
            self._complete_until = now + max(_KNOWN_FOR, SPACED * (now - began))
        while not (self._complete or self._searched.issuperset(sought)):
            phones = "@" not in sought[0]
            ahead = [value for buyer in self._upcoming.buyers() for value in (buyer[0] if phones else buyer[1:])]
            values = dict.fromkeys([*sought, *ahead])
            new = [value for value in values if value and value not in self._searched]
            await self._walk(phones=new) if phones else await self._walk(emails=new)
            fresh = True
        return fresh

    async def _walk(self, phones: Sequence[str] = (), emails: Sequence[str] = ()) -> None:
        """Reads the contacts with one of these into `seen`. Notes it when RO App ignores the filter: then all are read,
        and nothing is left to be searched."""
        written = [spelling for phone in phones for spelling in written_as(phone)]
        digits = {_digits(spelling) for spelling in written}
        stranger = False
        seen, searched = self.seen, self._searched
        self._read_at = self._read_at or utc_now()

        async def take(pages: AsyncIterator[Sequence[Contact]]) -> None:
            nonlocal stranger
            async for page in pages:
                for contact in page:
                    seen[contact.id] = contact
                    asked = any(email in mail(contact) for email in emails) or any(
                        part in _digits(phone, whole=True) for phone in contact.phones for part in digits
                    )
                    stranger = stranger or not asked

        first, *others = self._clients.walks(phones=written, emails=emails)
        await take(first)
        if not stranger:
            await side_by_side([take(pages) for pages in others])
        searched.update(phones, emails)
        if seen is not self.seen:  # forgotten meanwhile
            return
        # A row that has nothing of what was asked for: the filter is ignored (roapp §2), so this was a walk of all
        # contacts. One that has it among other digits shows only that the filter takes parts.
        self._complete = self._complete or stranger


def ambiguous(what: str, contacts: Iterable[int]) -> BadRecord:
    """Several contacts may be the buyer, by what is called `what`: a person has to choose. The order whose buyer it is
    is not named yet."""
    ids = sorted(contacts)
    return BadRecord(
        f"several contacts of RO App have the buyer's {what}: {', '.join(map(str, ids))}.",
        code=Code.CONTACT_AMBIGUOUS,
        field=_FIELDS.get(what, "customer_details"),
        fix="Merge them in RO App; then the order goes through automatically.",
        questions=[Question(kind="contact", which="", ids=ids)],
    )


def first_token(contact: Contact) -> str:
    """The marker with which its notes begin, if they do."""
    return (contact.notes or "").partition("]")[0] + "]"


def mail(contact: Contact) -> str:
    """Its e-mail address as compared."""
    return contact.email.strip().lower()


def written_as(phone: str) -> tuple[str, ...]:
    """How an E.164 number may stand in RO App, for a filter that compares texts: also with brackets around the
    operator's code and hyphens in the tail, as people in Ukraine and Moldova write it."""
    known = spellings(phone)
    international = next((one for one in known if one.startswith("+") and " " in one), "")
    country, _, rest = international.partition(" ")
    code, _, tail = rest.partition(" ")
    digits = re.sub(r"\D", "", tail)
    if not digits:
        return known
    grouped = (digits[:-4], digits[-4:-2], digits[-2:])
    heads = (f"{country} {code}", f"{country} ({code})", f"0{code}", f"(0{code})")
    tails = ("-".join(grouped), " ".join(grouped))
    return tuple(dict.fromkeys((*known, *(f"{head} {end}" for head in heads for end in tails))))


def _digits(text: str, *, whole: bool = False) -> str:
    digits = "".join(char for char in text if char.isdigit())
    return digits if whole else digits[-9:]


def numbers_of(contact: Contact) -> frozenset[str]:
    """An organization's numbers as compared; empty for a person."""
    given = (contact.registration, contact.tax) if isinstance(contact, Organization) else ()
    return frozenset(filter(None, map(comparable, given)))
