"""Records that need a person: each with its reason and the fix in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from cartum_roapp.errors import BadRecord, Question
from cartum_roapp.ledger import database, journal, orders, outbox
from cartum_roapp.ledger.journal import Kind
from cartum_roapp.ledger.tables import held

#: What `Held` has. The payload of a row is a buyer's data and stays in the table.
_RECORDS = select(
    *(held.c[field] for field in ("shop", "entity", "id", "code", "field", "message", "fix", "attempts", "first_at")),
    *(held.c[field] for field in ("last_at", "dismissed_at", "dismissed_because")),
    case((held.c.entity != "row", held.c.payload)).label("questions"),
)


@dataclass(frozen=True)
class Held:
    """entity `order`: not in RO App, or not its newest version · `status`: the order is there, its status is not, in
    RO App or (`refused-by-shop`) in the shop · `line`: a line could not be taken out, or is there twice · `total`: RO
    App's is not the shop's · `contact`, `product`: there twice · `row`: the shop sent what can't be read. `id` is the
    order's number; of a line number/line; of a product what it is known by; of a row without a number `row-…`.
    `dismissed_at`: a person left it as it is, `dismissed_because`: for this reason, "" if none was given. Times UTC.
    `questions`: what a person may choose so that it goes through."""

    shop: str
    entity: str
    id: str
    code: str
    field: str | None
    message: str
    fix: str
    attempts: int
    first_at: datetime
    last_at: datetime
    dismissed_at: datetime | None
    dismissed_because: str
    questions: list[Question]

    @property
    def number(self) -> str | None:
        """The number of the order that it is about, if it is about one."""
        return order_of(self.entity, self.id)


def order_of(entity: str, id: str) -> str | None:
    """The number of the order that a record is about, if it is about one."""
    return None if entity == "product" or id.startswith("row-") else id.partition("/")[0]


def hold(
    connection: Connection,
    *,
    shop: str,
    entity: str,
    id: str,
    error: BadRecord,
    payload: Mapping[str, Any] | None = None,
) -> bool:
    """Holds a record, or counts one more attempt of a held one. Returns whether that is news: it was not held for this
    very reason. Idempotent. One that a person has dismissed is seen again, unless it is the very row that was
    dismissed, or one that was erased: that gets no payload back."""
    row = insert(held).values(
        shop=shop,
        entity=entity,
        id=id,
        code=error.code,
        field=error.field,
        message=error.message,
        fix=error.fix or "",
        payload=list(error.questions) or payload,
    )
    same = (held.c.code == row.excluded.code) & (
        held.c.erased_at.is_not(None) | held.c.payload.is_not_distinct_from(row.excluded.payload)
    )
    was = held.alias("was")  # as it was before this statement
    known = select(was.c.id).where(
        was.c.shop == shop, was.c.entity == entity, was.c.id == id, was.c.code == error.code,
        was.c.message == error.message,
    )  # fmt: skip
    again = connection.execute(
        row.on_conflict_do_update(
            index_elements=[held.c.shop, held.c.entity, held.c.id],
            set_={
                "code": row.excluded.code,
                "field": row.excluded.field,
                "message": row.excluded.message,
                "fix": row.excluded.fix,
                "payload": case((held.c.erased_at.is_(None), row.excluded.payload)),
                "attempts": held.c.attempts + 1,
                "last_at": func.now(),
                "dismissed_at": case((same, held.c.dismissed_at)),
                "dismissed_because": case((same, held.c.dismissed_because), else_=""),
            },
        ).returning(known.exists())
    ).scalar_one()
    if not again:
        _note(connection, shop, Kind.HELD, entity, id, code=error.code, message=error.message)
    return not again


def touch(connection: Connection, shop: str, entity: str, id: str) -> None:
    """Counts one more attempt of a held record that was checked again and has not changed."""
    connection.execute(
        update(held)
        .where(held.c.shop == shop, held.c.entity == entity, held.c.id == id)
        .values(attempts=held.c.attempts + 1, last_at=func.now())
    )


def hold_order(connection: Connection, shop: str, number: str, error: BadRecord) -> None:
    """Holds an order that the ledger has as delivered. From now on it counts as not delivered."""
    orders.requeue(connection, shop, [number])
    outbox.hold_newest(connection, shop, number)
    hold(connection, shop=shop, entity="order", id=number, error=error)


def clear(connection: Connection, shop: str, entity: str, ids: Collection[str], because: str | None = None) -> None:
    """Releases these records, as their cause is gone. `because` says why in words where no other event does. Writes
    nothing where nothing is held."""
    if ids:
        gone = delete(held).where(held.c.shop == shop, held.c.entity == entity, held.c.id.in_(ids))
        for row in connection.execute(gone.returning(held.c.id, held.c.code)).all():
            _note(connection, shop, Kind.RELEASED, entity, row.id, code=row.code, because=because)


def code(connection: Connection, shop: str, entity: str, id: str) -> str | None:
    """Why this record is held, or None."""
    query = select(held.c.code).where(held.c.shop == shop, held.c.entity == entity, held.c.id == id)
    found: str | None = connection.scalar(query)
    return found


def lines_of(connection: Connection, shop: str, number: str, code: str) -> list[int]:
    """RO App's ids of the lines of an order that are held for this reason."""
    query = select(held.c.id).where(
        held.c.shop == shop,
        held.c.entity == "line",
        held.c.code == code,
        held.c.id.startswith(f"{number}/", autoescape=True),
    )
    return [int(id.partition("/")[2]) for id in connection.scalars(query)]


def rows(engine: Engine, shop: str) -> set[str]:
    """The numbers of orders that the shop sent in a form that can't be read."""
    query = select(held.c.id).where(held.c.shop == shop, held.c.entity == "row", held.c.id.not_like("row-%"))
    with database.reading(engine) as connection:
        return set(connection.scalars(query))


def payload(engine: Engine, shop: str, id: str) -> dict[str, Any] | None:
    """The row as the shop sent it: a buyer's personal data."""
    query = select(held.c.payload).where(held.c.shop == shop, held.c.entity == "row", held.c.id == id)
    with database.reading(engine) as connection:
        found: dict[str, Any] | None = connection.scalar(query)
        return found


def dismiss(connection: Connection, shop: str, records: Collection[Held], because: str = "") -> None:
    """Hides records that a person leaves as they are. They are not retried automatically until they change in the shop
    or are replayed. `because`: the person's reason. Idempotent; the first reason stays."""
    for one in records:
        left = update(held).where(
            held.c.shop == shop, held.c.entity == one.entity, held.c.id == one.id, held.c.dismissed_at.is_(None)
        )
        if connection.execute(
            left.values(dismissed_at=func.now(), dismissed_because=because, alerted_at=None)
        ).rowcount:
            _note(connection, shop, Kind.DISMISSED, one.entity, one.id)


def mark_alerted(connection: Connection, shop: str) -> int:
    """Returns how many held records no alert has counted yet, and marks them as counted when the transaction commits.
    Of two concurrent runs, one waits for the other."""
    return connection.execute(update(held).where(_unalerted(shop)).values(alerted_at=func.now())).rowcount


def is_any_unalerted(engine: Engine, shop: str) -> bool:
    """Whether there is a held record that no alert has counted yet."""
    with database.reading(engine) as connection:
        return bool(connection.scalar(select(func.count()).where(_unalerted(shop))))


def _unalerted(shop: str) -> ColumnElement[bool]:
    return (held.c.shop == shop) & held.c.alerted_at.is_(None) & held.c.dismissed_at.is_(None)


def count(engine: Engine, shop: str) -> int:
    """How many records are held, except the dismissed ones: what lists, summaries and tags show."""
    return counts(engine, shop)["held"]


def counts(engine: Engine, shop: str) -> dict[str, int]:
    """How many records are held, and how many a person has dismissed, which are not among the former."""
    dismissed = func.count().filter(held.c.dismissed_at.is_not(None))
    query = select((func.count() - dismissed).label("held"), dismissed.label("dismissed")).where(held.c.shop == shop)
    with database.reading(engine) as connection:
        return dict(connection.execute(query).one()._mapping)


def codes(engine: Engine) -> list[str]:
    """What records of any shop are held for, each once."""
    with database.reading(engine) as connection:
        return list(connection.scalars(select(held.c.code).distinct().order_by(held.c.code)))


def listed(
    engine: Engine,
    shop: str | None = None,
    *,
    entity: str | None = None,
    codes: Collection[str] = (),
    dismissed: bool = False,
) -> list[Held]:
    """Held records, newest attempt first; of all shops without `shop`; also those that were `dismissed`. Payloads
    stay in the table."""
    query = _RECORDS.order_by(held.c.last_at.desc(), held.c.id)
    if shop is not None:
        query = query.where(held.c.shop == shop)
    if entity is not None:
        query = query.where(held.c.entity == entity)
    if codes:
        query = query.where(held.c.code.in_(codes))
    if not dismissed:
        query = query.where(held.c.dismissed_at.is_(None))
    return _records(engine, query)


def find(engine: Engine, shop: str, entity: str, id: str) -> Held | None:
    """This record, dismissed or not; None if it is not held."""
    query = _RECORDS.where(held.c.shop == shop, held.c.entity == entity, held.c.id == id)
    return next(iter(_records(engine, query)), None)


def _records(engine: Engine, query: Select[Any]) -> list[Held]:
    with database.reading(engine) as connection:
        found = [row._mapping for row in connection.execute(query)]
    return [Held(**{**row, "questions": row["questions"] or []}) for row in found]


def _note(connection: Connection, shop: str, kind: Kind, entity: str, id: str, **details: str | None) -> None:
    number = order_of(entity, id)
    if number is not None:
        named = None if id == number else id
        journal.note(connection, shop, number, kind, entity=entity, id=named, **details)
