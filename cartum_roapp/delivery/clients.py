"""The two kinds of clients of RO App, people and organizations: the same calls under two paths (roapp §3.1)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import Contact


class Walk(Protocol):
    def __call__(
        self, phones: Sequence[str] = (), emails: Sequence[str] = (), created_from: datetime | None = None
    ) -> AsyncIterator[Sequence[Contact]]: ...


class Create(Protocol):
    def __call__(self, body: dict[str, Any], before: Callable[[], None] | None = None) -> Awaitable[int]: ...


@dataclass(frozen=True)
class Clients:
    """`searches` tells whether RO App applies the filter by phone, None where that is not known yet."""

    walk: Walk
    one: Callable[[int], Awaitable[Contact | None]]
    create: Create
    update: Callable[[int, dict[str, Any]], Awaitable[None]]
    searches: Callable[[], bool | None]


def people(roapp: RoApp) -> Clients:
    return Clients(
        roapp.walk_contacts,
        roapp.contact,
        roapp.create_contact,
        roapp.update_contact,
        lambda: roapp.searches("phones"),
    )


def organizations(roapp: RoApp) -> Clients:
    """Its calls raise BadRecord `not-available` where the account has none, or not the right to them."""
    return Clients(
        roapp.walk_organizations,
        roapp.organization,
        roapp.create_organization,
        roapp.update_organization,
        lambda: roapp.searches("phones", organizations=True),
    )
