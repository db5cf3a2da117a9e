"""A note before every call that must not happen twice.

RO App has no idempotency key (roapp §6). So each non-idempotent call is: intent committed → call →
result committed. An intent that is still `open` when somebody else reads it belongs to a process that
died between the two; like an `unclear` one it means: look into RO App before anything is sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, text

#: As long as what happened to orders, which they tell as well; no shop keeps its buyers' data for less.
KEPT = timedelta(days=90)

Kind = Literal["comment", "status", "change"]


@dataclass(frozen=True)
class Operation:
    """A call that must not happen twice: `identity` names within account and kind what it sets. `shop` and `number` are
    the order that asked for it."""

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

    @property
    def is_confirmed(self) -> bool:
        """RO App has confirmed it, although a try that nobody answered may still arrive."""
        return self.settled_at is not None


@dataclass(frozen=True)
class Schedule:
    """When a call is sent, and from when on it may be sent again if its outcome is not known. UTC."""

    sent_at: datetime
    resend_at: datetime


#: This database as it runs now: a ledger that was restored, whatever way, runs in another one, or its rows were
#: written by another transaction. Joined with the transaction that wrote a row, it tells that nothing was restored.
_HERE = (
    "(SELECT oid FROM pg_database WHERE datname = current_database()) || ' ' || "
    "extract(epoch FROM pg_postmaster_start_time()) || ' '"
)
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


def all_unsettled(connection: Connection, account: str) -> list[Intent]:
    """All intents of the account that nobody knows the outcome of."""
    query = text(f"SELECT {_COLUMNS} FROM intents WHERE account = :account {_UNSETTLED}")
    return [Intent(**row._mapping) for row in connection.execute(query, {"account": account})]


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


def announced(connection: Connection, operation: Operation) -> bool:
    """Was this call noted as the next one and surely not sent since? A restored ledger can't tell: False."""
    query = text(f"SELECT count(*) FROM intents {_THIS} AND state = 'open' AND announced_in = {_HERE} || xmin")
    return bool(connection.scalar(query, vars(operation)))


def begin(connection: Connection, operation: Operation, schedule: Schedule, *, announced: bool = False) -> int:
    """Notes that the call is about to be sent (or sent once more after a refusal such as a 429); where it is
    `announced`, only that it is the next one. Returns the intent's id.

    The unique index lets no second unsettled intent of the same thing exist.
    """
    intent: int = connection.execute(_BEGIN, {**vars(operation), **vars(schedule), "announced": announced}).scalar_one()
    return intent


def settle(
    connection: Connection, intent: int, state: Literal["done", "refused", "absent"], ro_id: int | None = None
) -> None:
    """The outcome is known: done (with RO App's id), refused by RO App, or absent after a look."""
    connection.execute(
        text("UPDATE intents SET state = :state, settled_at = now(), ro_id = :ro_id WHERE id = :id"),
        {"id": intent, "state": state, "ro_id": ro_id},
    )


def settle_answered(connection: Connection, intent: int, state: Literal["done", "refused"]) -> None:
    """Settles a call that may be repeated at once. It stays unclear if nobody answered one of its tries, confirmed
    where it is done."""
    connection.execute(text(_SETTLE_ANSWERED), {"id": intent, "state": state})


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


def forget_old(connection: Connection) -> int:
    """Removes the calls of all accounts that were settled longer than `KEPT` ago; returns how many. May be called
    twice."""
    return connection.execute(text(_FORGET_OLD), {"kept": KEPT}).rowcount


_BEGIN = text(
    "INSERT INTO intents AS known (account, kind, identity, shop, number, sent_at, resend_at, "
    "announced_in) VALUES (:account, :kind, :identity, :shop, :number, :sent_at, :resend_at, "
    f"CASE WHEN :announced THEN {_HERE} || pg_current_xact_id()::xid END) "
    "ON CONFLICT (account, kind, identity) WHERE state IN ('open', 'unclear') "
    "DO UPDATE SET sent_at = excluded.sent_at, resend_at = excluded.resend_at, "
    "announced_in = excluded.announced_in WHERE known.state = 'open' "
    "RETURNING id"
)
_SETTLE_ANSWERED = """
    UPDATE intents SET state = CASE WHEN state = 'open' THEN :state ELSE state END, settled_at = now()
    WHERE id = :id AND (state = 'open' OR (state = 'unclear' AND :state = 'done'))
"""
_FORGET_OLD = """
    DELETE FROM intents WHERE state IN ('done', 'refused', 'absent') AND settled_at < now() - :kept
"""
_UNCLEAR_ENDS = text(
    f"SELECT count(*) FROM intents {_THIS} AND state IN ('unclear', 'absent') "
    f"AND id > coalesce((SELECT max(id) FROM intents {_THIS} AND state IN ('done', 'refused')), 0)"
)
