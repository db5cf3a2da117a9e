"""The shop's orders as they were last read: which are known, which are to be read again, which wait for delivery."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, Engine, text

from cartum_roapp.errors import Code
from cartum_roapp.ledger import database, journal
from cartum_roapp.ledger.journal import Kind

#: A condition on rows of `orders`: not one that a canceled backfill has withdrawn (`ledger.backfills`).
NOT_WITHDRAWN = (
    "NOT EXISTS (SELECT FROM outbox WHERE outbox.shop = orders.shop AND outbox.number = orders.number "
    "AND outbox.wanted_version = 0 AND outbox.delivered_version = 0)"
)


class Priority:
    """Smaller goes first: an order placed today does not wait behind history."""

    FRESH, CHANGE, HISTORY, BACKFILL = range(4)


@dataclass(frozen=True)
class Queue:
    """Whose orders they are, and with which priority those that are new, and those that changed, wait for delivery."""

    shop: str
    account: str
    new_as: int
    changed_as: int


def queue(connection: Connection, as_: Queue, numbers: Sequence[str]) -> None:
    """Lets these orders of the ledger wait for delivery."""
    for statement in (_OUTRUN, _QUEUE):
        connection.execute(text(statement), {**vars(as_), "numbers": list(numbers)})


def lift(connection: Connection, as_: Queue, numbers: Sequence[str], successful: Collection[int]) -> None:
    """Lets those of the orders that a backfill was the first to read wait as if it had not: changes of what RO App has,
    orders placed after the first import's window, and orders of the window that are not in a `successful` status.
    Writes nothing where there are none."""
    named = {"numbers": list(numbers), "successful": sorted(successful), "backfill": Priority.BACKFILL}
    connection.execute(text(_LIFT), {**vars(as_), **named})


def known(engine: Engine, shop: str, numbers: Sequence[str]) -> set[str]:
    """Those of the numbers that the ledger holds, except the withdrawn ones."""
    query = f"SELECT number FROM orders WHERE shop = :shop AND number = ANY(:numbers) AND {NOT_WITHDRAWN}"
    with database.reading(engine) as connection:
        return set(connection.scalars(text(query), {"shop": shop, "numbers": list(numbers)}))


def resendable(engine: Engine, shop: str) -> list[str]:
    """Numbers of all orders, except the withdrawn ones, those without their buyer's data, and those that stay as they
    are: dismissed by a person, or deleted in RO App."""
    with database.reading(engine) as connection:
        return list(connection.scalars(text(_RESENDABLE), {"shop": shop, "deleted": Code.DELETED_IN_ROAPP}))


def to_reread(
    engine: Engine, shop: str, final_statuses: Iterable[int], *, open_for: timedelta, final_for: timedelta
) -> set[str]:
    """Numbers that the ledger believes open and that were placed less than `open_for` ago, or final for less than
    `final_for`; not the gone ones, nor the withdrawn ones."""
    with database.reading(engine) as connection:
        rows = connection.execute(
            text(
                f"SELECT number FROM orders WHERE shop = :shop AND gone_at IS NULL AND {NOT_WITHDRAWN} "
                "AND (status_id <> ALL(:final) AND created_at > now() - :open_for OR final_since > now() - :final_for)"
            ),
            {"shop": shop, "final": sorted(final_statuses), "open_for": open_for, "final_for": final_for},
        )
        return {row.number for row in rows}


def requeue(
    connection: Connection,
    shop: str,
    numbers: Sequence[str],
    because: str | None = None,
    *,
    priority: int = Priority.CHANGE,
) -> int:
    """Asks for another delivery of orders that did not change, also of those whose row in the outbox is lost; returns
    how many were queued. `because` says why in words, where no other event does."""
    rows = connection.execute(
        text("UPDATE orders SET version = version + 1 WHERE shop = :shop AND number = ANY(:numbers) RETURNING number"),
        {"shop": shop, "numbers": list(numbers)},
    ).all()
    if rows:
        account = connection.scalar(text("SELECT account FROM shops WHERE key = :shop"), {"shop": shop})
        assert account is not None, "orders go with their shop"
        queue(connection, Queue(shop, account, priority, priority), [row.number for row in rows])
        if because is not None:
            events = [journal.event(shop, row.number, Kind.QUEUED, because=because) for row in rows]
            journal.write(connection, events)
    return len(rows)


def forget_hashes(connection: Connection, shop: str, numbers: Sequence[str]) -> None:
    """Clears the hashes of these orders, so that their next read counts as a change. For rows that differ from the
    shop's although their hash is the same. Idempotent."""
    connection.execute(
        text("UPDATE orders SET hash = '' WHERE shop = :shop AND number = ANY(:numbers)"),
        {"shop": shop, "numbers": list(numbers)},
    )


def follow_final_statuses(connection: Connection, shop: str, final_statuses: Iterable[int]) -> None:
    """Makes orders final since they were stored last where their status counts as final only now, and open where it
    no longer does. Writes nothing while the same statuses are final."""
    connection.execute(
        text(
            "UPDATE orders SET final_since = CASE WHEN status_id = ANY(:final) THEN stored_at END WHERE shop = :shop "
            "AND hash <> '' AND (status_id = ANY(:final)) <> (final_since IS NOT NULL)"
        ),
        {"shop": shop, "final": sorted(final_statuses)},
    )


def hashes(connection: Connection, shop: str, numbers: Sequence[str]) -> dict[str, tuple[str, int, bool, str]]:
    """Returns number → (hash, status, whether it is gone, digest of its row) of the orders that the ledger holds,
    except the withdrawn ones."""
    query = (
        "SELECT number, hash, status_id, gone_at IS NOT NULL AS gone, row_digest FROM orders "
        f"WHERE shop = :shop AND number = ANY(:numbers) AND {NOT_WITHDRAWN}"
    )
    rows = connection.execute(text(query), {"shop": shop, "numbers": list(numbers)})
    return {row.number: (row.hash, row.status_id, row.gone, row.row_digest) for row in rows}


def stored_rows(connection: Connection, shop: str, numbers: Sequence[str]) -> dict[str, tuple[str, str, int]]:
    """Returns number → (digest of its row, hash, status) of the orders that the ledger holds, except gone and withdrawn
    ones."""
    query = (
        "SELECT number, row_digest, hash, status_id FROM orders WHERE shop = :shop AND number = ANY(:numbers) "
        f"AND hash <> '' AND gone_at IS NULL AND {NOT_WITHDRAWN}"
    )
    rows = connection.execute(text(query), {"shop": shop, "numbers": list(numbers)})
    return {row.number: (row.row_digest, row.hash, row.status_id) for row in rows}


def erased(connection: Connection, shop: str, numbers: Collection[str]) -> set[str]:
    """Those of the numbers whose buyer's data is no longer kept."""
    rows = connection.execute(
        text("SELECT number FROM orders WHERE shop = :shop AND number = ANY(:numbers) AND erased_at IS NOT NULL"),
        {"shop": shop, "numbers": list(numbers)},
    )
    return {row.number for row in rows}


_RESENDABLE = f"""
    SELECT number FROM orders WHERE shop = :shop AND erased_at IS NULL AND {NOT_WITHDRAWN} AND NOT EXISTS (
        SELECT FROM held WHERE (held.shop, held.entity, held.id) = (orders.shop, 'order', orders.number)
        AND (dismissed_at IS NOT NULL OR code = :deleted))
"""
# An order whose row was lost begins at version 1 again; what the outbox has as delivered belongs to the lost row.
_OUTRUN = """
    UPDATE orders SET version = outbox.delivered_version + 1 FROM outbox
    WHERE outbox.shop = orders.shop AND outbox.number = orders.number AND orders.version <= outbox.delivered_version
      AND orders.shop = :shop AND orders.number = ANY(:numbers)
"""
_QUEUE = """
    INSERT INTO outbox AS waiting (shop, number, account, wanted_version, priority, queued_at)
    SELECT :shop, number, :account, version, CASE WHEN version = 1 THEN :new_as ELSE :changed_as END, created_at
    FROM orders WHERE shop = :shop AND number = ANY(:numbers)
    ON CONFLICT (shop, number) DO UPDATE SET
        account = excluded.account, wanted_version = excluded.wanted_version,
        priority = CASE WHEN waiting.wanted_version > waiting.delivered_version
                        THEN least(waiting.priority, excluded.priority) ELSE excluded.priority END,
        queued_at = now(), available_at = now(), attempts = 0, held = false
"""
_LIFT = """
    UPDATE outbox SET priority = CASE WHEN delivered_version > 0 THEN :changed_as ELSE :new_as END
    FROM orders JOIN shops ON shops.key = orders.shop
    WHERE outbox.shop = :shop AND outbox.number = ANY(:numbers) AND outbox.priority = :backfill
      AND wanted_version > delivered_version AND (orders.shop, orders.number) = (outbox.shop, outbox.number)
      AND (delivered_version > 0 OR orders.created_at >= shops.window_to
           OR orders.created_at >= shops.window_from AND orders.status_id <> ALL(:successful))
"""
