"""Buyers' data taken out of the ledger: what exactly-once needs stays (number, version, hash, status, amounts, which
RO App order it is), and the order is marked, so that no later read of it brings the data back.

Only of orders that nothing is under way for: final or deleted in the shop, and in RO App at their newest version, or
dismissed by a person; and of those that a canceled backfill has withdrawn, or whose shop is deleted. Where a call that
makes the buyer's contact has no known outcome, that is under way.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from psycopg2.errors import InsufficientPrivilege
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import ProgrammingError

from cartum_roapp.ledger import database, links
from cartum_roapp.ledger.links import Reason
from cartum_roapp.ledger.orders import NOT_WITHDRAWN
from cartum_roapp.ledger.tables import PERSONAL
from cartum_roapp.orders import buyers
from cartum_roapp.orders.phone_field import read_field
from cartum_roapp.orders.qualifying import FINAL_FOR

Named = Literal["phone", "email", "number", "retention"]


@dataclass(frozen=True)
class Buyer:
    """Of one shop: the numbers of the buyer's orders, those of them for which something is still under way, and the ids
    of held rows that the shop sent of them. `contacts`: how many contacts of RO App the orders belong to."""

    orders: tuple[str, ...]
    busy: tuple[str, ...]
    rows: tuple[str, ...]
    contacts: int


@dataclass(frozen=True)
class Erasure:
    """What was removed of a shop, when (UTC), and by what the buyer was named."""

    at: datetime
    named: str
    orders: int
    rows: int


def find(connection: Connection, shop: str, named: Named, value: str, region: str | None) -> Buyer:
    """The buyer with this phone (E.164), this e-mail (lower case), or of this order. RO App's contact shows which
    orders are one buyer's; a held row is the buyer's that has the phone or the e-mail anywhere. No orders and no rows
    where nothing of the buyer is left."""
    payloads = connection.execute(text(_PAYLOADS), {"shop": shop}).all()
    own = [row for row in payloads if named == "number" and row.id == value]
    asked = {
        "phone": [value] if named == "phone" else [],
        "email": [value] if named == "email" else [],
        "number": [value] if named == "number" else [],
    }
    for row in own:
        asked["phone"] += _numbers(row.payload.get("delivery_phone"), region)
        asked["email"] += filter(None, [buyers.email(row.payload.get("delivery_email"))] if not asked["phone"] else [])
    orders = connection.execute(text(_BUYER), {"shop": shop, "named": Reason.NAMED, **asked}).all()
    telling = {*asked["phone"], *asked["email"], *(one for row in orders for one in row[:2] if one)}
    rows = {row.id for row in own} | {row.id for row in payloads if _mentions(row.payload, telling, region)}
    numbers = sorted({row.number for row in orders})
    return Buyer(
        orders=tuple(numbers),
        busy=tuple(sorted(set(numbers) - _idle(connection, shop, numbers))),
        rows=tuple(sorted(rows)),
        contacts=len({row.ro_id for row in orders if row.ro_id is not None}),
    )


def limited(engine: Engine) -> list[tuple[str, str, int]]:
    """Key, slug and days of each shop whose buyers' data is removed after a time, deleted shops included."""
    query = "SELECT key, slug, retention_days FROM shops WHERE retention_days IS NOT NULL ORDER BY key"
    with database.reading(engine) as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def old(connection: Connection, shop: str, days: int) -> Buyer:
    """Orders of all buyers that were placed more than `days` ago and had been final for two weeks when syncs last read
    the shop, or the shop is deleted; and rows that are held for so long."""
    values = {"shop": shop, "age": timedelta(days=days), "final_for": FINAL_FOR}
    numbers = list(connection.scalars(text(_OLD_ORDERS), values))
    rows = list(connection.scalars(text(_OLD_ROWS), values))
    return Buyer(tuple(sorted(_idle(connection, shop, numbers))), (), tuple(rows), 0)


def erase(connection: Connection, shop: str, buyer: Buyer, named: Named) -> None:
    """Removes the buyer's data and notes that, in the caller's transaction; `buyer.busy` are removed as well. Writes
    nothing where there is nothing to remove."""
    if not buyer.orders and not buyer.rows:
        return
    values = {"shop": shop, "numbers": list(buyer.orders), "rows": list(buyer.rows)}
    identities = list(connection.scalars(text(_IDENTITIES), values))
    connection.execute(text(_ERASE_ORDERS), values)
    connection.execute(text(_ERASE_ROWS), values)
    connection.execute(text(_ERASE_REASONS), values)
    connection.execute(text(_FORGET_COMMENTS), values)
    account = connection.scalar(text("SELECT account FROM shops WHERE key = :shop"), values)
    links.forget_buyers(connection, account, erased=identities, chosen=False)
    done = {"shop": shop, "named": named, "orders": len(buyer.orders), "rows": len(buyer.rows)}
    connection.execute(text(_NOTE), done)


def overwrite(engine: Engine) -> bool:
    """Frees the space of the rows that `erase` replaced, whose bytes stay in the database's files till then, and ends
    the part of its log (WAL) that has them. Returns False where this role may make no checkpoint."""
    with database.reading(engine) as connection:
        connection.execute(text("VACUUM orders, held, comments, links"))
        try:
            connection.execute(text("CHECKPOINT"))
        except ProgrammingError as error:
            if not isinstance(error.orig, InsufficientPrivilege):
                raise
            return False
    return True


def is_number(connection: Connection, shop: str, value: str) -> bool:
    """Whether an order or a held row of the shop is known by this number."""
    return bool(connection.scalar(text(_KNOWN), {"shop": shop, "number": value}))


def erased_at(connection: Connection, shop: str, number: str) -> datetime | None:
    """Since when the buyer of this order is unknown (UTC)."""
    query = text("SELECT erased_at FROM orders WHERE shop = :shop AND number = :number")
    found: datetime | None = connection.scalar(query, {"shop": shop, "number": number})
    return found


def listed(engine: Engine, shop: str) -> list[Erasure]:
    """All that was removed of the shop, newest first."""
    with database.reading(engine) as connection:
        return [Erasure(**row._mapping) for row in connection.execute(text(_NOTED), {"shop": shop})]


def _idle(connection: Connection, shop: str, numbers: Sequence[str]) -> set[str]:
    """Those that nothing is under way for. Locked until the transaction ends: what is idle now stays so."""
    return set(connection.scalars(text(_IDLE), {"shop": shop, "numbers": list(numbers)}))


def _mentions(part: Any, telling: Set[str], region: str | None) -> bool:
    if isinstance(part, dict):
        return any(_mentions(one, telling, region) for one in part.values())
    if isinstance(part, list):
        return any(_mentions(one, telling, region) for one in part)
    if isinstance(part, bool) or not isinstance(part, str | int):
        return False
    return buyers.email(part) in telling or not telling.isdisjoint(_numbers(part, region))


def _numbers(value: Any, region: str | None) -> list[str]:
    return [phone.number for phone in read_field(value, region).phones]


_PAYLOADS = """
    SELECT id, payload FROM held
    WHERE shop = :shop AND entity = 'row' AND jsonb_typeof(payload) = 'object' ORDER BY id
"""
# What is removed by age is one entry, the last time and all of it together.
_NOTE = """
    UPDATE shops SET erasures = (
        SELECT coalesce(jsonb_agg(to_jsonb(noted)) FILTER (WHERE NOT before), '[]') || jsonb_build_object(
            'at', now(), 'named', CAST(:named AS text),
            'orders', :orders + coalesce(sum(orders) FILTER (WHERE before), 0),
            'rows', :rows + coalesce(sum(rows) FILTER (WHERE before), 0))
        FROM jsonb_to_recordset(erasures) AS noted (at timestamptz, named text, orders integer, rows integer),
            LATERAL (SELECT named = :named AND named = 'retention') AS also (before)
    ) WHERE key = :shop
"""
_NOTED = """
    SELECT noted.* FROM shops,
        jsonb_to_recordset(erasures) AS noted (at timestamptz, named text, orders integer, rows integer)
    WHERE key = :shop ORDER BY at DESC
"""
_KNOWN = """
    SELECT EXISTS (SELECT FROM orders WHERE shop = :shop AND number = :number)
        OR EXISTS (SELECT FROM held WHERE shop = :shop AND entity = 'row' AND id = :number)
"""
# Buyers meet by identity, and identities by RO App's contact; that an order names an address as well says little.
_BUYER = """
    WITH named AS (
        SELECT customer, number FROM orders WHERE shop = :shop AND erased_at IS NULL
        AND (buyer_phone = ANY(:phone) OR EXISTS (
            SELECT FROM unnest(string_to_array(buyer_phones, E'\\n')) AS line
            WHERE split_part(line, ' ', 1) = ANY(:phone)
        ) OR buyer_email = ANY(:email) OR number = ANY(:number))
    ), known AS (
        SELECT links.key AS identity, links.ro_id FROM links JOIN shops USING (account)
        WHERE shops.key = :shop AND links.kind = 'contact' AND NOT (links.key LIKE 'email:%' AND reason = :named)
    ), same AS (
        SELECT identity FROM known WHERE ro_id IN (SELECT ro_id FROM known JOIN named ON customer = identity)
        UNION SELECT customer FROM named WHERE customer NOT LIKE 'order:%'
    )
    SELECT buyer_phone, buyer_email, number, ro_id
    FROM orders LEFT JOIN known ON customer = identity
    WHERE shop = :shop AND erased_at IS NULL
      AND (customer IN (SELECT identity FROM same) OR number IN (SELECT number FROM named))
"""
_IS_DELETED = "EXISTS (SELECT FROM shops WHERE key = :shop AND deleted_at IS NOT NULL)"
_IDLE = f"""
    SELECT orders.number FROM orders JOIN outbox USING (shop, number)
    WHERE orders.shop = :shop AND orders.number = ANY(:numbers)
      AND ({_IS_DELETED}
          OR (orders.final_since IS NOT NULL OR orders.gone_at IS NOT NULL OR NOT {NOT_WITHDRAWN})
          AND (outbox.wanted_version <= outbox.delivered_version OR EXISTS (
              SELECT FROM held WHERE held.shop = :shop AND entity = 'order' AND id = orders.number
              AND dismissed_at IS NOT NULL)))
      AND NOT EXISTS (
          SELECT FROM creations WHERE kind = 'contact' AND creations.account = outbox.account
          AND (names @> ARRAY[orders.customer] OR (creations.shop, creations.number) = (orders.shop, orders.number)))
    FOR UPDATE OF orders, outbox SKIP LOCKED
"""
_OLD_ORDERS = f"""
    SELECT number FROM orders WHERE shop = :shop AND erased_at IS NULL AND created_at < now() - :age
    AND (coalesce(final_since, gone_at) < coalesce((SELECT watermark FROM shops WHERE key = :shop), now()) - :final_for
         OR NOT {NOT_WITHDRAWN} OR {_IS_DELETED})
"""
_OLD_ROWS = """
    SELECT id FROM held
    WHERE shop = :shop AND entity = 'row' AND erased_at IS NULL AND first_at < now() - :age
"""
_IDENTITIES = "SELECT DISTINCT customer FROM orders WHERE shop = :shop AND number = ANY(:numbers)"
_ERASE_ORDERS = f"""
    UPDATE orders SET erased_at = now(), {", ".join(f"{name} = ''" for name in PERSONAL)}
    WHERE shop = :shop AND number = ANY(:numbers)
"""
_ERASE_ROWS = """
    UPDATE held SET erased_at = now(), payload = NULL WHERE shop = :shop AND entity = 'row' AND id = ANY(:rows)
"""
# A person wrote them, whatever is in them.
_ERASE_REASONS = """
    UPDATE held SET dismissed_because = '' WHERE shop = :shop AND dismissed_because <> ''
    AND (split_part(id, '/', 1) = ANY(:numbers) OR entity = 'row' AND id = ANY(:rows))
"""
_FORGET_COMMENTS = "DELETE FROM comments WHERE shop = :shop AND number = ANY(:numbers)"
