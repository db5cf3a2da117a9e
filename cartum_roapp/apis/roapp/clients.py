"""Whose an order is in RO App: people and organizations, the same calls under two paths (roapp §3.1)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from cartum_roapp.apis.roapp.filters import Filter, by_date, by_emails, by_phones
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
        """Yields all pages of those with one of these phones, then of those with one of these e-mail addresses (one may
        come twice); of all if neither is given. Asks for 50 values in a call. The caller checks the rows: if RO App
        ignores a filter, all come (e-mail: roapp §3.1). No filter by an organization's numbers is documented."""
        for filters in _filters(phones, emails, created_from):
            async for page in self.reading.walk(self._path, self.kind, filters, self._missing("collection")):
                yield page

    def searches(self, by: Literal["phones", "emails"] = "phones") -> bool | None:
        """Returns whether RO App applies this filter of `walk`; None until a walk has shown it. If False, each such
        walk reads all, so the caller should keep them."""
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


def _filters(phones: Sequence[str], emails: Sequence[str], created_from: datetime | None) -> list[list[Filter]]:
    """Returns the filters of each walk."""
    dated = [found] if (found := by_date("created_at", created_from)) else []
    asked: list[list[Filter]] = [
        *([by_phones(part), *dated] for part in _chunks(phones)),
        *([by_emails(part), *dated] for part in _chunks(emails)),
    ]
    return asked or [dated]


def _chunks(values: Sequence[str]) -> list[Sequence[str]]:
    return [values[start : start + VALUES] for start in range(0, len(values), VALUES)]
