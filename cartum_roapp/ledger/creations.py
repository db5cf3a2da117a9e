"""Calls that make something in RO App, from before they are sent until it is known what they made.

RO App has no idempotency key (roapp §6). So a row is committed before each such call, and deleted in the commit that
links what it made. One that is still there belongs to a call without a clear outcome, or to a process that died: what
has one of its names is looked for in RO App before anything is sent. A row ends with the link, with a refusal, or with
the last look after a repeat: so they are few, and a buyer's phones are here only as long as the doubt.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, text

#: How long one is kept that nobody asks for any longer.
KEPT = timedelta(days=30)

Kind = Literal["order", "contact", "product"]


@dataclass(frozen=True)
class Thing:
    """What is to be made. `names`: all by which it may be found, the one that its link is stored under first.
    `shop` and `number` are the order that asks for it."""

    kind: Kind
    names: tuple[str, ...]
    shop: str
    number: str


@dataclass(frozen=True)
class Creation(Thing):
    """A call that makes it: `sent_at` when it was sent last, not to be repeated before `not_before` (UTC). `tries`: how
    many in a row without an answer."""

    id: int
    sent_at: datetime
    not_before: datetime
    tries: int


_COLUMNS = ", ".join(Creation.__dataclass_fields__)
_SELECT = f"SELECT {_COLUMNS} FROM creations WHERE account = :account"


def in_doubt(connection: Connection, account: str, kind: Kind, names: Iterable[str]) -> list[Creation]:
    """Those of unknown outcome that may make something with one of these names, oldest first."""
    query = f"{_SELECT} AND kind = :kind AND look_until IS NULL AND names && CAST(:names AS text[]) ORDER BY sent_at"
    rows = connection.execute(text(query), {"account": account, "kind": kind, "names": list(names)})
    return list(map(_creation, rows))


def oldest(connection: Connection, account: str, kind: Kind) -> datetime | None:
    """When the oldest call of this kind was sent (UTC) that has no known outcome, or is to be checked again."""
    query = text("SELECT min(sent_at) FROM creations WHERE account = :account AND kind = :kind")
    found: datetime | None = connection.scalar(query, {"account": account, "kind": kind})
    return found


def begin(
    connection: Connection, account: str, thing: Thing, sent_at: datetime, not_before: datetime, *, again: bool
) -> Creation:
    """Notes that the call is about to be sent; `again` where the try before was surely not accepted (429). Returns its
    row. The unique index lets no second one of the same thing be in doubt."""
    values = {**vars(thing), "names": list(thing.names), "account": account, "counts": 0 if again else 1}
    return _creation(connection.execute(text(_BEGIN), {**values, "sent_at": sent_at, "not_before": not_before}).one())


def put_off(connection: Connection, id: int, not_before: datetime) -> None:
    """The call ended without a readable answer. It is not repeated before `not_before` (UTC)."""
    connection.execute(
        text("UPDATE creations SET not_before = :not_before WHERE id = :id"), {"id": id, "not_before": not_before}
    )


def end(connection: Connection, account: str, kind: Kind, name: str, look_until: datetime) -> None:
    """Notes that the outcome of the call for the thing of this first name is known. The row is deleted; that of a
    repeated one stays until it is checked again, at `look_until` (UTC). Writes nothing where there is none."""
    values = {"account": account, "kind": kind, "name": name, "look_until": look_until}
    this = "WHERE account = :account AND kind = :kind AND names[1] = :name AND look_until IS NULL"
    if not connection.execute(text(f"DELETE FROM creations {this} AND tries = 1"), values).rowcount:
        connection.execute(text(f"UPDATE creations SET look_until = :look_until {this}"), values)


def due(connection: Connection, account: str, now: datetime) -> list[Creation]:
    """Repeated calls whose first try may have arrived late after all."""
    rows = connection.execute(
        text(f"{_SELECT} AND look_until <= :now ORDER BY sent_at"), {"account": account, "now": now}
    )
    return list(map(_creation, rows))


def looked_at(connection: Connection, id: int, again: datetime | None) -> bool:
    """It is to be checked `again` then (UTC), or never. Returns False where it no longer exists: its shop was purged
    meanwhile."""
    query = "DELETE FROM creations" if again is None else "UPDATE creations SET look_until = :again"
    return bool(connection.execute(text(f"{query} WHERE id = :id"), {"id": id, "again": again}).rowcount)


def forget_old(connection: Connection) -> int:
    """Removes those that nobody has asked for in that time: the shop changed the order's buyer or lines while their
    outcome was in doubt. Returns how many. Idempotent."""
    query = text("DELETE FROM creations WHERE greatest(not_before, look_until) < now() - :kept")
    return connection.execute(query, {"kept": KEPT}).rowcount


def _creation(row: Row[Any]) -> Creation:
    return Creation(**{**row._mapping, "names": tuple(row.names)})


_BEGIN = f"""
    INSERT INTO creations AS known (account, kind, names, shop, number, sent_at, not_before)
    VALUES (:account, :kind, :names, :shop, :number, :sent_at, :not_before)
    ON CONFLICT (account, kind, (names[1])) WHERE look_until IS NULL DO UPDATE SET
        names = known.names || ARRAY(SELECT unnest(excluded.names) EXCEPT SELECT unnest(known.names)),
        shop = excluded.shop, number = excluded.number, sent_at = excluded.sent_at, not_before = excluded.not_before,
        tries = known.tries + :counts
    RETURNING {_COLUMNS}
"""
