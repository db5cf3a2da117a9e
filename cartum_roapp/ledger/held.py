"""Records that need a person: each with its reason and the fix in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from cartum_roapp.errors import BadRecord
from cartum_roapp.ledger import orders, outbox
from cartum_roapp.ledger.tables import held


@dataclass(frozen=True)
class Held:
    """entity `order`: not in RO App, or not its newest version · `status`: the order is there, its status
    is not · `line`: a line could not be taken out, or is there twice · `contact`, `product`: there twice ·
    `row`: the shop sent what can't be read. Times UTC."""

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


def hold(
    connection: Connection,
    *,
    shop: str,
    entity: str,
    id: str,
    error: BadRecord,
    payload: Mapping[str, Any] | None = None,
) -> None:
    """Holds a record, or counts one more attempt of a held one. May be called twice."""
    row = insert(held).values(
        shop=shop,
        entity=entity,
        id=id,
        code=error.code,
        field=error.field,
        message=error.message,
        fix=error.fix or "",
        payload=payload,
    )
    connection.execute(
        row.on_conflict_do_update(
            index_elements=[held.c.shop, held.c.entity, held.c.id],
            set_={
                "code": row.excluded.code,
                "field": row.excluded.field,
                "message": row.excluded.message,
                "fix": row.excluded.fix,
                "payload": row.excluded.payload,
                "attempts": held.c.attempts + 1,
                "last_at": func.now(),
            },
        )
    )


def hold_order(connection: Connection, shop: str, number: str, error: BadRecord) -> None:
    """Holds an order that is delivered as far as the ledger knows: it counts as not delivered from now on."""
    orders.requeue(connection, shop, [number], orders.Priority.CHANGE)
    outbox.hold_newest(connection, shop, number)
    hold(connection, shop=shop, entity="order", id=number, error=error)


def clear(connection: Connection, shop: str, entity: str, ids: Collection[str]) -> int:
    """The cause is gone. Touches nothing where nothing is held; gives how many were."""
    if not ids:
        return 0
    present = connection.scalars(
        select(held.c.id).where(held.c.shop == shop, held.c.entity == entity, held.c.id.in_(ids))
    ).all()
    if not present:
        return 0
    connection.execute(delete(held).where(held.c.shop == shop, held.c.entity == entity, held.c.id.in_(present)))
    return len(present)


def code(connection: Connection, shop: str, entity: str, id: str) -> str | None:
    """Why this record is held, or None."""
    query = select(held.c.code).where(held.c.shop == shop, held.c.entity == entity, held.c.id == id)
    found: str | None = connection.scalar(query)
    return found


def count_since(engine: Engine, shop: str, moment: datetime) -> int:
    """How many records were held, or held again, since `moment` (UTC)."""
    with engine.connect() as connection:
        query = select(func.count()).select_from(held).where(held.c.shop == shop, held.c.last_at >= moment)
        return connection.execute(query).scalar_one()


def count(engine: Engine, shop: str) -> int:
    """How many records are held."""
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(held).where(held.c.shop == shop)).scalar_one()


def listed(
    engine: Engine, shop: str | None = None, *, entity: str | None = None, codes: Collection[str] = ()
) -> list[Held]:
    """Held records, newest attempt first; of all shops without `shop`. Payloads stay in the table."""
    query = select(*(held.c[field] for field in Held.__dataclass_fields__)).order_by(held.c.last_at.desc(), held.c.id)
    if shop is not None:
        query = query.where(held.c.shop == shop)
    if entity is not None:
        query = query.where(held.c.entity == entity)
    if codes:
        query = query.where(held.c.code.in_(codes))
    with engine.connect() as connection:
        return [Held(**row._mapping) for row in connection.execute(query)]
