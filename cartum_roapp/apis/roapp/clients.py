"""Whose an order is in RO App: people and organizations, the same calls under two paths (roapp §3.1)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from cartum_roapp.apis.roapp.filters import by_date, by_emails, by_phones
from cartum_roapp.apis.roapp.reading import Reading
from cartum_roapp.apis.roapp.rows import Contact, Organization
from cartum_roapp.apis.roapp.sending import Before, Missing
from cartum_roapp.apis.roapp.writes import Writing

#: The most values of one filter in a call.
VALUES = 50

C = TypeVar("C", bound=Contact, covariant=True)


@dataclass(frozen=True)
class Clients(Generic[C]):
    """The people of an account, or its organizations. An account may lack organizations, or the key the right to them:
    then `walk` and `create` of those raise BadRecord with the code `not-available`."""

    reading: Reading
    writing: Writing
    kind: type[C]

    @property
    def _are_organizations(self) -> bool:
        return issubclass(self.kind, Organization)

    @property
    def _path(self) -> str:
        return "/contacts/organizations" if self._are_organizations else "/contacts/people"

    async def walk(
        self, phones: Sequence[str] = (), emails: Sequence[str] = (), created_from: datetime | None = None
    ) -> AsyncIterator[Sequence[C]]:
        """Yields all pages of the `walks`, one after another."""
        for pages in self.walks(phones, emails, created_from):
            async for page in pages:
                yield page

    def walks(
        self, phones: Sequence[str] = (), emails: Sequence[str] = (), created_from: datetime | None = None
    ) -> list[AsyncIterator[Sequence[C]]]:
        """Returns the pages of those with one of these phones, and of those with one of these e-mail addresses, 50
        values in each walk (one contact may come twice); of all if neither is given. The caller checks the rows: if RO
        App ignores a filter, each walk brings all (e-mail: roapp §3.1). No filter by an organization's numbers is
        documented."""
        dated = [found] if (found := by_date("created_at", created_from)) else []
        asked = [[one, *dated] for one in (*map(by_phones, _chunks(phones)), *map(by_emails, _chunks(emails)))]
        missing = self._missing("collection")
        return [self.reading.walk(self._path, self.kind, filters, missing) for filters in asked or [dated]]

    def walk_short(self, most: int) -> AsyncIterator[Sequence[C]]:
        """Yields all pages. Raises LongList where there are more than `most`."""
        return self.reading.walk(self._path, self.kind, [], self._missing("collection"), most)

    def searches(self, by: Literal["phones", "emails"] = "phones") -> bool | None:
        """Returns whether RO App applies this filter; None until a walk has shown it. If False, each search reads all,
        so the caller should keep them."""
        return self.reading.spelling.works(self._path, by)

    async def one(self, id: int) -> C | None:
        """Returns None if there is no such one, or if RO App does not return single ones (404, 405)."""
        return await self.reading.one(f"{self._path}/{id}", self.kind, "contact", id, self._missing("row"))

    async def create(self, body: dict[str, Any], before: Before | None = None) -> int:
        """Returns the new one's id. A person needs a `first_name`, an organization a `name` (roapp §3.1)."""
        names = ("id", "organization_id" if self._are_organizations else "person_id", "contact_id")
        missing = self._missing("anything")
        return await self.writing.create(self._path, body, "contact", names, missing, before=before)

    def _missing(self, of_people: Missing) -> Missing:
        """Returns what a 404 means."""
        return "optional" if self._are_organizations else of_people


def _chunks(values: Sequence[str]) -> list[Sequence[str]]:
    return [values[start : start + VALUES] for start in range(0, len(values), VALUES)]
