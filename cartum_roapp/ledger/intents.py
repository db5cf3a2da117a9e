"""A note before every call that must not happen twice.

RO App has no idempotency key (roapp §6). So each non-idempotent call is: intent committed → call →
result committed. An intent that is still `open` when somebody else reads it belongs to a process that
died between the two; like an `unclear` one it means: look into RO App before anything is sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, text

#: As long as what happened to orders, which they tell as well; no shop keeps its buyers' data for less.
KEPT = timedelta(days=90)

Kind = Literal["contact", "product", "order", "line", "status"]


@dataclass(frozen=True)
class Operation:
    """A call that must not happen twice, by what it makes: `identity` names that within account and kind (a buyer, a
    product, a marker …). `shop` and `number` are the order that asked for it."""

    account: str
    kind: Kind
    identity: str
    shop: str
    number: str


@dataclass(frozen=True)
class Intent:
    """An operation that was begun, as stored. Before `resend_at` it is looked for, but not sent again. Times UTC."""

    id: int
    account: str
    kind: Kind
    identity: str
    shop: str
    number: str
    state: str
    sent_at: datetime
    resend_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True)
class Schedule:
    """When a call is sent, from when on it may be sent again if its outcome is not known, and when a repeated one is
    looked at again (None: never). UTC."""

    sent_at: datetime
    resend_at: datetime
    recheck_at: datetime | None = None


_COLUMNS = ", ".join(Intent.__dataclass_fields__)
_THIS = "WHERE account = :account AND kind = :kind AND identity = :identity"
#: Of calls that nobody knows the outcome of.
_UNSETTLED = "AND state IN ('open', 'unclear')"


def unsettled(connection: Connection, operation: Operation) -> Intent | None:
    """The intent of this very thing that nobody knows the outcome of."""
    row = connection.execute(
        text(f"SELECT {_COLUMNS} FROM intents {_THIS} {_UNSETTLED}"), vars(operation)
    ).one_or_none()
    return None if row is None else Intent(**row._mapping)


def all_unsettled(connection: Connection, account: str, kind: Kind | None = None) -> list[Intent]:
    """All intents of the account, or those of one kind, that nobody knows the outcome of."""
    of_kind = "" if kind is None else "AND kind = :kind"
    query = text(f"SELECT {_COLUMNS} FROM intents WHERE account = :account {of_kind} {_UNSETTLED}")
    return [Intent(**row._mapping) for row in connection.execute(query, {"account": account, "kind": kind})]


def unsettled_of(connection: Connection, account: str, kind: Kind, shop: str, number: str) -> list[Intent]:
    """All intents of one shop order and kind that nobody knows the outcome of, oldest first."""
    rows = connection.execute(
        text(
            f"SELECT {_COLUMNS} FROM intents WHERE account = :account AND kind = :kind AND shop = :shop "
            f"AND number = :number {_UNSETTLED} ORDER BY sent_at"
        ),
        {"account": account, "kind": kind, "shop": shop, "number": number},
    )
    return [Intent(**row._mapping) for row in rows]


def oldest_unsettled(connection: Connection, account: str, kind: Kind) -> datetime | None:
    """When the oldest call of this kind with an unknown outcome was sent (UTC)."""
    oldest: datetime | None = connection.scalar(
        text(f"SELECT min(sent_at) FROM intents WHERE account = :account AND kind = :kind {_UNSETTLED}"),
        {"account": account, "kind": kind},
    )
    return oldest


def begin(connection: Connection, operation: Operation, schedule: Schedule) -> int:
    """Notes that the call is about to be sent (or sent once more after a refusal such as a 429). Returns the intent's
    id.

    The unique index lets no second unsettled intent of the same thing exist.
    """
    intent: int = connection.execute(_BEGIN, {**vars(operation), **vars(schedule)}).scalar_one()
    return intent


def settle(
    connection: Connection, intent: int, state: Literal["done", "refused", "absent"], ro_id: int | None = None
) -> None:
    """The outcome is known: done (with RO App's id), refused by RO App, or absent after a look."""
    connection.execute(
        text("UPDATE intents SET state = :state, settled_at = now(), ro_id = :ro_id WHERE id = :id"),
        {"id": intent, "state": state, "ro_id": ro_id},
    )


def settle_found(connection: Connection, operation: Operation, ro_id: int) -> None:
    """Settles an unsettled call as done: what it made was found in RO App in another way. Writes nothing if there is
    none."""
    query = text(f"UPDATE intents SET state = 'done', settled_at = now(), ro_id = :ro_id {_THIS} {_UNSETTLED}")
    connection.execute(query, {**vars(operation), "ro_id": ro_id})


def mark_unclear(connection: Connection, intent: int, resend_at: datetime) -> None:
    """The call ended without a readable answer. It is not sent again before `resend_at` (UTC)."""
    connection.execute(
        text("UPDATE intents SET state = 'unclear', resend_at = :resend_at WHERE id = :id"),
        {"id": intent, "resend_at": resend_at},
    )


def unclear_ends(connection: Connection, operation: Operation) -> int:
    """How many calls of this very thing ended unclear in a row: since one of them was answered, or found made."""
    ends: int = connection.execute(_UNCLEAR_ENDS, vars(operation)).scalar_one()
    return ends


def due_rechecks(connection: Connection, account: str, now: datetime) -> Sequence[Intent]:
    """Repeated calls whose first try may have arrived late after all."""
    rows = connection.execute(
        text(f"SELECT {_COLUMNS} FROM intents WHERE account = :account AND recheck_at <= :now ORDER BY sent_at"),
        {"account": account, "now": now},
    )
    return [Intent(**row._mapping) for row in rows]


def recheck(connection: Connection, intent: int, at: datetime | None) -> None:
    """It was looked at, and is to be looked at again `at` (UTC), or never more."""
    connection.execute(text("UPDATE intents SET recheck_at = :at WHERE id = :id"), {"at": at, "id": intent})


def forget_old(connection: Connection) -> int:
    """Removes the calls of all accounts that were settled longer than `KEPT` ago, with the phones by which they name
    buyers; returns how many. What is to be looked at again stays, and so does what made a product: without what
    identifies it, it would be made once more. May be called twice."""
    return connection.execute(text(_FORGET_OLD), {"kept": KEPT}).rowcount


_BEGIN = text(
    "INSERT INTO intents AS known (account, kind, identity, shop, number, sent_at, resend_at, recheck_at) "
    "VALUES (:account, :kind, :identity, :shop, :number, :sent_at, :resend_at, :recheck_at) "
    "ON CONFLICT (account, kind, identity) WHERE state IN ('open', 'unclear') "
    "DO UPDATE SET sent_at = excluded.sent_at, resend_at = excluded.resend_at WHERE known.state = 'open' "
    "RETURNING id"
)
_FORGET_OLD = """
    DELETE FROM intents WHERE state IN ('done', 'refused', 'absent') AND settled_at < now() - :kept
    AND recheck_at IS NULL AND kind <> 'product'
"""
_UNCLEAR_ENDS = text(
    f"SELECT count(*) FROM intents {_THIS} AND state IN ('unclear', 'absent') "
    f"AND id > coalesce((SELECT max(id) FROM intents {_THIS} AND state IN ('done', 'refused')), 0)"
)
