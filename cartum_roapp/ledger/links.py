"""Which contact of RO App is which buyer of an account: a row for each key that leads to it, such as `phone:+380…`;
of products: `product_links`.

A buyer has one for each phone and number, all with one contact. Only an e-mail address that orders of several buyers
name has several rows: then it is no link.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, text


class Reason(StrEnum):
    """Why a contact is this buyer's, as people read it."""

    MADE = "made for this buyer"
    REFUSED = "made for this buyer without the phone, which RO App refuses"
    PHONE = "it has the buyer's phone"
    OTHER_PHONE = "it has another phone of the order"
    EMAIL = "it has the buyer's e-mail address"
    NUMBER = "it has the company's number"
    ORGANIZATION = "an organization that has the phone; no person has it"
    CLIENT = "it is the order's client in RO App"
    MARKER = "its notes name the order"
    NAMED = "another order of this buyer names it"
    CHOSEN = "a person chose it"


@dataclass(frozen=True)
class Link:
    """`key`: the identity of a buyer (`orders.buyers`), or what else an order says of the same one. `organization`: the
    contact is one, else a person. `chosen_at`: when a person chose it (UTC), None where nobody did."""

    key: str
    ro_id: int
    organization: bool
    reason: str
    chosen_at: datetime | None = None

    @property
    def phone(self) -> str:
        """The key's phone (E.164); "" if it is none."""
        kind, _, value = self.key.partition(":")
        return value if kind == "phone" else ""

    @property
    def is_shown(self) -> bool:
        """Whether RO App's contact has been seen with the key's phone."""
        return bool(self.phone) and self.reason in (Reason.MADE, Reason.PHONE, Reason.ORGANIZATION)


_COLUMNS = ", ".join(Link.__dataclass_fields__)
_VALUES = ", ".join(f":{name}" for name in Link.__dataclass_fields__)
_CONTACTS = "FROM links WHERE account = :account AND kind = 'contact'"


def phone_key(number: str) -> str:
    """The key of a phone (E.164)."""
    return f"phone:{number}"


def email_key(address: str) -> str:
    """The key of an e-mail address."""
    return f"email:{address}"


def company_key(number: str) -> str:
    """The key of a company's number."""
    return f"company:{number}"


def by_keys(connection: Connection, account: str, keys: Collection[str]) -> list[Link]:
    """All rows of these keys."""
    query = text(f"SELECT {_COLUMNS} {_CONTACTS} AND key = ANY(:keys)")
    return [Link(**row._mapping) for row in connection.execute(query, {"account": account, "keys": list(keys)})]


def of(connection: Connection, account: str, ro_id: int) -> list[Link]:
    """All that leads to this contact."""
    query = text(f"SELECT {_COLUMNS} {_CONTACTS} AND ro_id = :ro_id")
    return [Link(**row._mapping) for row in connection.execute(query, {"account": account, "ro_id": ro_id})]


def decided(found: Iterable[Link], key: str) -> Link | None:
    """Returns where a key leads: what a person chose counts first, then how its own buyer was found, then what other
    orders name. None where that is nothing, or several contacts."""
    rows = [link for link in found if link.key == key]
    counts = [link for link in rows if link.chosen_at] or [link for link in rows if link.reason != Reason.NAMED] or rows
    return counts[0] if len(counts) == 1 else None


def store(connection: Connection, account: str, link: Link) -> None:
    """The key leads to this contact alone from now on, except where a person chose another one meanwhile."""
    values = {"account": account, **vars(link)}
    connection.execute(
        text(
            f"DELETE {_CONTACTS} AND key = :key AND (chosen_at IS NULL OR CAST(:chosen_at AS timestamptz) IS NOT NULL)"
        ),
        values,
    )
    connection.execute(
        text(
            f"INSERT INTO links (account, kind, {_COLUMNS}) SELECT :account, 'contact', {_VALUES} "
            f"WHERE NOT EXISTS (SELECT {_CONTACTS} AND key = :key)"
        ),
        values,
    )


def add(connection: Connection, account: str, more: Sequence[Link]) -> None:
    """These lead there as well, where nothing is decided for their keys."""
    if more:
        connection.execute(
            text(
                f"INSERT INTO links (account, kind, {_COLUMNS}) SELECT :account, 'contact', {_VALUES} "
                f"WHERE NOT EXISTS (SELECT {_CONTACTS} AND key = :key AND reason <> '{Reason.NAMED}') "
                "ON CONFLICT DO NOTHING"
            ),
            [{"account": account, **vars(link)} for link in more],
        )


def move(connection: Connection, account: str, ro_id: int, kept: int, *, organization: bool) -> None:
    """All that led to this contact leads to the one that staff merged it into."""
    values = {"account": account, "ro_id": ro_id, "kept": kept, "organization": organization}
    there = f"SELECT key {_CONTACTS} AND ro_id = :kept"
    connection.execute(text(f"DELETE {_CONTACTS} AND ro_id = :ro_id AND key IN ({there})"), values)
    connection.execute(
        text(
            "UPDATE links SET ro_id = :kept, organization = :organization "
            "WHERE account = :account AND kind = 'contact' AND ro_id = :ro_id"
        ),
        values,
    )


def forget(connection: Connection, account: str, ro_id: int) -> None:
    """Removes all that led to this contact: RO App no longer has it."""
    connection.execute(text(f"DELETE {_CONTACTS} AND ro_id = :ro_id"), {"account": account, "ro_id": ro_id})


def unchoose(connection: Connection, account: str, kind: str, key: str) -> bool:
    """Takes back what a person chose, a contact or a product; returns whether there was a choice. It is searched
    again."""
    query = text("DELETE FROM links WHERE account = :account AND kind = :kind AND key = :key AND chosen_at IS NOT NULL")
    return bool(connection.execute(query, {"account": account, "kind": kind, "key": key}).rowcount)


def forget_buyers(connection: Connection, account: str | None, *, erased: Sequence[str] = (), chosen: bool) -> None:
    """Forgets all that no order of a shop of the account still names, also what a person chose where it is `chosen`, or
    of the `erased` keys. A guest without phone and e-mail stays known: the row says nothing of a person, and nothing
    else leads back to that contact."""
    connection.execute(text(_FORGET_BUYERS), {"account": account, "erased": list(erased), "chosen": chosen})


_NUMBER = r"'company:' || upper(regexp_replace({}, '[\W_]', '', 'g'))"
_FORGET_BUYERS = f"""
    WITH of_account AS (SELECT orders.* FROM orders JOIN shops ON shops.key = orders.shop WHERE account = :account),
    named AS (
        SELECT customer AS key FROM of_account
        UNION SELECT 'phone:' || buyer_phone FROM of_account
        UNION SELECT 'phone:' || split_part(line, ' ', 1) FROM of_account, string_to_table(buyer_phones, E'\\n') line
        UNION SELECT 'email:' || buyer_email FROM of_account
        UNION SELECT {_NUMBER.format("company_number")} FROM of_account
        UNION SELECT {_NUMBER.format("company_tax")} FROM of_account
    )
    DELETE FROM links WHERE account = :account AND kind = 'contact' AND key NOT LIKE 'order:%'
    AND NOT EXISTS (SELECT FROM named WHERE named.key = links.key)
    AND (:chosen OR chosen_at IS NULL OR key = ANY(:erased))
"""
