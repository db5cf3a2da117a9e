"""Which contact of RO App is which buyer: one row per (account, identity of the buyer)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, text


class Reason(StrEnum):
    """Why a contact is this buyer's, as people read it. `UNKNOWN`: it was bound before reasons were kept."""

    UNKNOWN = ""
    MADE = "made for this buyer"
    PHONE = "it has the buyer's phone"
    OTHER_PHONE = "it has another phone of the order"
    EMAIL = "it has the buyer's e-mail address"
    NUMBER = "it has the company's number"
    ORGANIZATION = "an organization that has the phone; no person has it"
    CLIENT = "it is the order's client in RO App"
    MARKER = "its notes name the order"
    CHOSEN = "a person chose it"


@dataclass(frozen=True)
class ContactMatch:
    """`phone` (E.164) and `email` are what RO App's contact is known to carry of them. `phones` is the text of
    `settled` and the `refused_email`, "" where that is `phone` alone. `organization`: the contact is one, else a
    person. `reason`: a `Reason`. `chosen_at`: when a person chose it (UTC), None where nobody did."""

    identity: str
    ro_id: int
    phone: str
    email: str
    phones: str = ""
    organization: bool = False
    reason: str = Reason.UNKNOWN
    chosen_at: datetime | None = None

    @property
    def settled(self) -> frozenset[str]:
        """The buyer's phones that need no more looks: the contact has them, another contact has them, or RO App refuses
        them."""
        return frozenset(one for one in (self.phone, *self.phones.split()) if one and "@" not in one)

    @property
    def refused_email(self) -> str:
        """The buyer's e-mail address, where RO App refuses it; else ""."""
        return next((one for one in self.phones.split() if "@" in one), "")

    def having(self, phone: str, email: str, settled: Iterable[str], refused_email: str) -> ContactMatch:
        """The same contact with these values, and these phones settled besides."""
        all_ = self.settled.union(settled, filter(None, [refused_email]))
        phones = " ".join(sorted(all_)) if all_ - {phone} else ""
        return replace(self, phone=phone, email=email, phones=phones)


_COLUMNS = tuple(ContactMatch.__dataclass_fields__)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM contact_matches WHERE account = :account"


def find(connection: Connection, account: str, identity: str) -> ContactMatch | None:
    """The contact of this buyer."""
    query = text(f"{_SELECT} AND identity = :identity")
    row = connection.execute(query, {"account": account, "identity": identity}).one_or_none()
    return None if row is None else ContactMatch(**row._mapping)


def by_email(connection: Connection, account: str, email: str) -> list[ContactMatch]:
    """All buyers with this e-mail address."""
    rows = connection.execute(text(f"{_SELECT} AND email = :email"), {"account": account, "email": email})
    return [ContactMatch(**row._mapping) for row in rows]


def of(connection: Connection, account: str, ro_id: int) -> list[ContactMatch]:
    """All buyers whose contact this is."""
    rows = connection.execute(text(f"{_SELECT} AND ro_id = :ro_id"), {"account": account, "ro_id": ro_id})
    return [ContactMatch(**row._mapping) for row in rows]


def bind(connection: Connection, account: str, match: ContactMatch) -> None:
    """The buyer is this contact from now on, except where a person chose another one meanwhile."""
    others = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name != "identity")
    connection.execute(
        text(
            f"INSERT INTO contact_matches (account, {', '.join(_COLUMNS)}) "
            f"VALUES (:account, {', '.join(f':{name}' for name in _COLUMNS)}) "
            f"ON CONFLICT (account, identity) DO UPDATE SET {others} "
            "WHERE contact_matches.chosen_at IS NULL OR excluded.chosen_at IS NOT NULL"
        ),
        {"account": account, **vars(match)},
    )


def unbind(connection: Connection, account: str, ro_id: int) -> None:
    """Forgets this contact for all its buyers: RO App no longer has it (merged or deleted by a person)."""
    connection.execute(
        text("DELETE FROM contact_matches WHERE account = :account AND ro_id = :ro_id"),
        {"account": account, "ro_id": ro_id},
    )
