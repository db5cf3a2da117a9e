"""Which order waits for delivery, and in which sequence. A row holds no payload: the newest state is read when the row
is claimed, and the version that was sent is recorded."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Engine, text

from cartum_roapp.ledger import database

# A row that lost its order has nothing to send until a read of the shop brings the order back. What a deleted shop left
# behind waits for nobody: the shop may be deleted while an import of it is being delivered.
_WAITING = (
    "wanted_version > delivered_version AND NOT held AND EXISTS "
    "(SELECT FROM orders WHERE orders.shop = outbox.shop AND orders.number = outbox.number) AND EXISTS "
    "(SELECT FROM shops WHERE shops.key = outbox.shop AND shops.deleted_at IS NULL)"
)
_OWNED = "coalesce(backfill = :backfill, CAST(:backfill AS bigint) IS NULL)"

_DUE = f"""
    SELECT shop, number, priority, version, attempts, first, ask
    FROM unnest(CAST(:shops AS text[])) AS own (key), LATERAL (
        SELECT *, row_number() OVER (PARTITION BY priority ORDER BY queued_at, number)
            + (SELECT count(*) FROM unnest(CAST(:under_way AS text[])) AS other (key) WHERE other.key = own.key) AS turn
        FROM (
            SELECT shop, number, priority, wanted_version AS version, attempts, delivered_version = 0 AS first,
                ask, queued_at
            FROM outbox WHERE account = :account AND shop = own.key AND {_WAITING} AND available_at <= now()
            AND (shop || ':' || number) <> ALL(:skip) ORDER BY priority, queued_at, number LIMIT :limit
        ) AS waiting
    ) AS next ORDER BY priority, turn, queued_at, number LIMIT :limit
"""
_GO_ON = f"""
    UPDATE outbox SET available_at = now() WHERE account = :account AND {_WAITING} AND available_at > now()
    AND NOT EXISTS (SELECT FROM order_matches match WHERE (match.shop, match.number) = (outbox.shop, outbox.number)
                    AND match.unsure_until > now())
    AND NOT EXISTS (SELECT FROM creations WHERE (creations.shop, creations.number) = (outbox.shop, outbox.number)
                    AND not_before > now() AND look_until IS NULL)
"""


class Ask(StrEnum):
    """What a person asks of an order's next delivery: to compare all of the order with RO App, whatever was agreed
    last. `SEND`: what differs becomes the shop's. `AGREE`: so do lines and notes; client and status are found like
    those of an order that has just been found by its marker."""

    NOTHING = ""
    SEND = "send"
    AGREE = "agree"


@dataclass(frozen=True)
class Claim:
    """One order to deliver: `version` is the newest at the time of the claim. `first`: no version of it was delivered
    yet. `ask`: one of `Ask`."""

    shop: str
    number: str
    priority: int
    version: int
    attempts: int
    first: bool
    ask: str


def due(
    connection: Connection, account: str, shops: Sequence[str], skip: Collection[tuple[str, str]], limit: int
) -> list[Claim]:
    """Returns the next rows of the account that may be delivered now: by priority, then the shops in turn, of each
    shop what waits longest. `skip`: (shop, number) of those under way, which are turns of their shops."""
    values = {
        "account": account,
        "shops": list(shops),
        "skip": [f"{shop}:{number}" for shop, number in skip],
        "under_way": [shop for shop, _ in skip],
        "limit": limit,
    }
    return [Claim(**row._mapping) for row in connection.execute(text(_DUE), values)]


def backlog(
    connection: Connection,
    shops: Sequence[str],
    upto: int | None = None,
    backfill: int | None = None,
    *,
    due: bool = False,
) -> int:
    """How many orders of these shops wait, now due or later; with `upto`, only those of a priority up to and including
    it; with `backfill`, only those of this one; with `due`, only those that are not put off."""
    query = text(
        f"SELECT count(*) FROM outbox WHERE shop = ANY(:shops) AND {_WAITING} AND {_OWNED} "
        "AND priority <= coalesce(:upto, priority) AND (NOT :due OR available_at <= now())"
    )
    values = {"shops": list(shops), "upto": upto, "backfill": backfill, "due": due}
    waiting: int = connection.execute(query, values).scalar_one()
    return waiting


def to_create(connection: Connection, shops: Sequence[str]) -> int:
    """Returns how many waiting orders of these shops, due now or later, were never delivered."""
    query = text(f"SELECT count(*) FROM outbox WHERE shop = ANY(:shops) AND {_WAITING} AND delivered_version = 0")
    return int(connection.scalar(query, {"shops": list(shops)}) or 0)


def waiting(connection: Connection, shop: str, upto: int, backfill: int | None) -> dict[str, int]:
    """Number → `wanted_version` of what waits for this shop, of priorities up to and including `upto`; with `backfill`,
    only what this one waits for."""
    rows = connection.execute(
        text(
            f"SELECT number, wanted_version FROM outbox WHERE shop = :shop AND {_WAITING} AND {_OWNED} "
            "AND priority <= :upto"
        ),
        {"shop": shop, "upto": upto, "backfill": backfill},
    )
    return {row.number: row.wanted_version for row in rows}


def outcome(connection: Connection, shop: str, versions: Mapping[str, int]) -> tuple[int, int]:
    """Returns how many of these orders are delivered, at these versions or newer ones, and how many still wait. What is
    held, or was taken out of the outbox meanwhile, is neither."""
    rows = connection.execute(
        text(
            "SELECT number, wanted_version, delivered_version, held FROM outbox "
            "WHERE shop = :shop AND number = ANY(:numbers)"
        ),
        {"shop": shop, "numbers": list(versions)},
    ).all()
    delivered = sum(row.delivered_version >= versions[row.number] for row in rows)
    held = sum(row.held and row.delivered_version < versions[row.number] for row in rows)
    taken_out = sum(row.wanted_version <= row.delivered_version < versions[row.number] for row in rows)
    return delivered, len(versions) - delivered - held - taken_out


def mark_delivered(connection: Connection, shop: str, number: str, version: int) -> bool:
    """Notes that RO App has this version. A newer one that arrived meanwhile keeps the row waiting, or held: returns
    whether it is not held."""
    query = (
        "UPDATE outbox SET delivered_version = greatest(delivered_version, :version), attempts = 0 "
        "WHERE shop = :shop AND number = :number RETURNING NOT held"
    )
    return bool(connection.scalar(text(query), {"shop": shop, "number": number, "version": version}))


def ask(connection: Connection, shop: str, numbers: Sequence[str], what: Ask) -> None:
    """Asks this of the next delivery of these orders. May be called twice."""
    query = "UPDATE outbox SET ask = :what WHERE shop = :shop AND number = ANY(:numbers) AND ask <> :what"
    connection.execute(text(query), {"shop": shop, "numbers": list(numbers), "what": what})


def is_outstanding(connection: Connection, shop: str, number: str) -> bool:
    """Whether RO App still has to get a newer version of the order: a backfill may have been canceled. A cancel that
    comes now waits for the end of this transaction, and sees what it began."""
    values = {"shop": shop, "number": number}
    hold = "SELECT FROM orders WHERE shop = :shop AND number = :number FOR KEY SHARE"
    connection.execute(text(hold), values)  # against `backfills.cancel`, which locks the same row
    query = "SELECT wanted_version > delivered_version FROM outbox WHERE shop = :shop AND number = :number"
    return bool(connection.scalar(text(query), values))


def defer(connection: Connection, shop: str, number: str, until: datetime) -> None:
    """Puts the order off until then (UTC); counts as an attempt."""
    connection.execute(
        text(
            "UPDATE outbox SET available_at = :until, attempts = attempts + 1 WHERE shop = :shop AND number = :number"
        ),
        {"shop": shop, "number": number, "until": until},
    )


def go_on(connection: Connection, account: str) -> None:
    """Orders that are put off because RO App did not answer may be delivered now, except where a call of it may still
    arrive."""
    connection.execute(text(_GO_ON), {"account": account})


def give_way(connection: Connection, shop: str, number: str) -> None:
    """The order waits behind those that are due now. What was delivered of it so far was no failure."""
    connection.execute(
        text("UPDATE outbox SET queued_at = now(), attempts = 0 WHERE shop = :shop AND number = :number"),
        {"shop": shop, "number": number},
    )


def attempts(connection: Connection, shop: str, number: str, *, first: bool) -> int:
    """Returns how often the delivery has been put off. `first`: it begins to count from here, as the order got this far
    for the first time."""
    query = (
        "UPDATE outbox SET attempts = CASE WHEN :first THEN 0 ELSE attempts END WHERE shop = :shop AND number = :number"
    )
    counted = connection.scalar(text(f"{query} RETURNING attempts"), {"shop": shop, "number": number, "first": first})
    return counted or 0


def hold(connection: Connection, shop: str, number: str, version: int) -> None:
    """Takes the row out of delivery, unless a newer version than the refused one waits by now."""
    connection.execute(
        text(
            "UPDATE outbox SET held = true, attempts = attempts + 1 "
            "WHERE shop = :shop AND number = :number AND wanted_version = :version"
        ),
        {"shop": shop, "number": number, "version": version},
    )


def hold_newest(connection: Connection, shop: str, number: str) -> None:
    """Takes the row out of delivery at its newest version."""
    connection.execute(
        text("UPDATE outbox SET held = true WHERE shop = :shop AND number = :number"), {"shop": shop, "number": number}
    )


def release(connection: Connection, shop: str, numbers: Sequence[str]) -> int:
    """Puts held rows back into delivery; returns how many."""
    result = connection.execute(
        text(
            "UPDATE outbox SET held = false, attempts = 0, available_at = now() "
            "WHERE shop = :shop AND number = ANY(:numbers) AND held"
        ),
        {"shop": shop, "numbers": list(numbers)},
    )
    return result.rowcount


def counts(engine: Engine, shop: str) -> dict[str, int]:
    """delivered (at least once), waiting and missing (waiting for the first time) orders of a shop; `held.counts` has
    what is held."""
    with database.reading(engine) as connection:
        row = connection.execute(
            text(
                "SELECT count(*) FILTER (WHERE delivered_version > 0) AS delivered, "
                f"count(*) FILTER (WHERE {_WAITING}) AS waiting, "
                f"count(*) FILTER (WHERE {_WAITING} AND delivered_version = 0) AS missing "
                "FROM outbox WHERE shop = :shop"
            ),
            {"shop": shop},
        ).one()
    return dict(row._mapping)


def depths(connection: Connection) -> dict[tuple[str, int], int]:
    """Returns how many orders of each shop wait with each priority, now due or later."""
    rows = connection.execute(
        text(f"SELECT shop, priority, count(*) AS number FROM outbox WHERE {_WAITING} GROUP BY 1, 2")
    )
    return {(row.shop, row.priority): row.number for row in rows}
