"""The upsert of one window of orders, and the reads that an incremental sync asks for."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import pandas as pd
import psycopg2.extensions
from sqlalchemy import Connection, Engine, Table, Text, text

from cartum_roapp.ledger import changes, database, journal, tables
from cartum_roapp.ledger.journal import Kind


class Frames(Protocol):
    """One window of orders as typed frames; the columns are those of the tables of the same names,
    without `shop` and what the ledger keeps itself."""

    orders: pd.DataFrame
    lines: pd.DataFrame
    customers: pd.DataFrame
    products: pd.DataFrame


@dataclass(frozen=True)
class Stored:
    """What an upsert found: numbers new to the ledger, changed since the last read, and unchanged."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: int


#: A condition on rows of `orders`: not one that a canceled backfill has stored and that nothing else wants.
WANTED = (
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


def store(connection: Connection, frames: Frames, queue: Queue, *, final_statuses: Iterable[int]) -> Stored:
    """Upserts a window and queues what changed, in the caller's transaction.

    An order whose hash is the stored one touches no row at all; one whose buyer was erased changes, but gets no
    personal data back. A held order that changed in the shop is tried again. May be called twice with the same frames:
    the second call finds everything unchanged.
    """
    shop = queue.shop
    _store_read(connection, shop, frames.products)
    arriving = frames.orders
    if arriving.empty:
        return Stored((), (), 0)
    known_hashes = hashes(connection, shop, arriving["number"].tolist())
    differs = [
        known_hashes.get(number) != (hash_, False)
        for number, hash_ in zip(arriving["number"], arriving["hash"], strict=True)
    ]
    moved = arriving[differs]
    unchanged = len(arriving) - len(moved)
    if moved.empty:
        return Stored((), (), unchanged)

    numbers = set(moved["number"])
    lines = frames.lines[frames.lines["number"].isin(numbers)]
    _copy(connection, tables.orders, moved)
    _copy(connection, tables.order_lines, lines)
    _copy(connection, tables.customers, _among(frames.customers, "identity", moved["customer"]))
    _copy(connection, tables.products, _among(frames.products, "product", lines["product"]))

    changes.note(connection, shop, moved.to_dict("records"), known_hashes.keys())
    # What a backfill finds final has been so for long: it is not read again and again for two weeks.
    values = {"shop": shop, "final": sorted(final_statuses), "old": queue.new_as == Priority.BACKFILL}
    rows = connection.execute(text(_UPSERT_ORDERS), values).all()
    touched = {**vars(queue), "numbers": [row.number for row in rows]}
    for statement in (_REPLACE_LINES, _INSERT_LINES, _UPSERT_CUSTOMERS, _UPSERT_PRODUCTS, _OUTRUN, _QUEUE):
        connection.execute(text(statement), touched)
    changes.note_released(connection, shop, connection.execute(text(_RELEASE), touched))
    connection.execute(text("DROP TABLE arriving_orders, arriving_order_lines, arriving_customers, arriving_products"))
    return Stored(
        new=tuple(row.number for row in rows if row.version == 1),
        changed=tuple(row.number for row in rows if row.version > 1),
        unchanged=len(arriving) - len(rows),
    )


def _store_read(connection: Connection, shop: str, products: pd.DataFrame) -> None:
    """Stores what the shop's catalogue was asked for, also where the orders are as they were."""
    read = products[products["listed"].notna()]
    if not read.empty:
        _copy(connection, tables.products, read)
        connection.execute(text(_UPSERT_PRODUCTS), {"shop": shop})
        connection.execute(text("DROP TABLE arriving_products"))


def known(engine: Engine, shop: str, numbers: Sequence[str]) -> set[str]:
    """Those of the numbers that the ledger holds, except those that are not wanted."""
    query = f"SELECT number FROM orders WHERE shop = :shop AND number = ANY(:numbers) AND {WANTED}"
    with database.reading(engine) as connection:
        return set(connection.scalars(text(query), {"shop": shop, "numbers": list(numbers)}))


def to_reread(
    engine: Engine, shop: str, final_statuses: Iterable[int], *, open_for: timedelta, final_for: timedelta
) -> set[str]:
    """Numbers that the ledger believes open and that were placed less than `open_for` ago, or final for less than
    `final_for`; not the gone ones, nor those that are not wanted."""
    with database.reading(engine) as connection:
        rows = connection.execute(
            text(
                f"SELECT number FROM orders WHERE shop = :shop AND gone_at IS NULL AND {WANTED} "
                "AND (status_id <> ALL(:final) AND created_at > now() - :open_for OR final_since > now() - :final_for)"
            ),
            {"shop": shop, "final": sorted(final_statuses), "open_for": open_for, "final_for": final_for},
        )
        return {row.number for row in rows}


def requeue(
    connection: Connection, shop: str, numbers: Sequence[str], priority: int, because: str | None = None
) -> int:
    """Asks for another delivery of orders that did not change, also of those whose row in the outbox is lost; returns
    how many were queued. `because` says why in words, where nothing else of the order does."""
    rows = connection.execute(
        text("UPDATE orders SET version = version + 1 WHERE shop = :shop AND number = ANY(:numbers) RETURNING number"),
        {"shop": shop, "numbers": list(numbers)},
    ).all()
    if rows:
        account = connection.scalar(text("SELECT account FROM shops WHERE key = :shop"), {"shop": shop})
        assert account is not None, "orders go with their shop"
        queued = {**vars(Queue(shop, account, priority, priority)), "numbers": [row.number for row in rows]}
        for statement in (_OUTRUN, _QUEUE):
            connection.execute(text(statement), queued)
        if because is not None:
            told = [journal.event(shop, row.number, Kind.QUEUED, because=because) for row in rows]
            journal.write(connection, told)
    return len(rows)


def distrust(connection: Connection, shop: str, numbers: Sequence[str]) -> None:
    """What is stored of these orders is not what the shop has although their hash says so: the next read of them
    counts as a change. May be called twice."""
    connection.execute(
        text("UPDATE orders SET hash = '' WHERE shop = :shop AND number = ANY(:numbers)"),
        {"shop": shop, "numbers": list(numbers)},
    )


def hashes(connection: Connection, shop: str, numbers: Sequence[str]) -> dict[str, tuple[str, bool]]:
    """Returns number → (hash, whether it is gone) of the orders that the ledger holds, except those that are not
    wanted."""
    query = (
        "SELECT number, hash, gone_at IS NOT NULL AS gone FROM orders "
        f"WHERE shop = :shop AND number = ANY(:numbers) AND {WANTED}"
    )
    rows = connection.execute(text(query), {"shop": shop, "numbers": list(numbers)})
    return {row.number: (row.hash, row.gone) for row in rows}


def erased(connection: Connection, shop: str, numbers: Collection[str]) -> set[str]:
    """Those of the numbers whose buyer's data is not kept any more."""
    rows = connection.execute(
        text("SELECT number FROM orders WHERE shop = :shop AND number = ANY(:numbers) AND erased_at IS NOT NULL"),
        {"shop": shop, "numbers": list(numbers)},
    )
    return {row.number for row in rows}


def _among(frame: pd.DataFrame, column: str, values: pd.Series) -> pd.DataFrame:
    return frame[frame[column].isin(set(values))]


def _copy(connection: Connection, table: Table, frame: pd.DataFrame) -> None:
    """COPY into a temporary table `arriving_<table>` of exactly the frame's columns."""
    columns = [column.name for column in table.columns if column.name in frame.columns]
    listed = ", ".join(columns)
    texts = ", ".join(name for name in columns if isinstance(table.columns[name].type, Text))
    connection.execute(
        text(f"CREATE TEMP TABLE arriving_{table.name} ON COMMIT DROP AS SELECT {listed} FROM {table.name} LIMIT 0")
    )
    buffer = io.StringIO()
    csv.writer(buffer).writerows(zip(*(frame[name].tolist() for name in columns), strict=True))  # None becomes ""
    buffer.seek(0)
    raw = connection.connection.dbapi_connection
    assert isinstance(raw, psycopg2.extensions.connection)
    with raw.cursor() as cursor:
        cursor.copy_expert(
            f"COPY arriving_{table.name} ({listed}) FROM STDIN (FORMAT csv, NULL '', FORCE_NOT_NULL ({texts}))",
            buffer,
        )


_ORDER_COLUMNS = [
    column.name
    for column in tables.orders.columns
    if column.name not in ("shop", "version", "final_since", "gone_at", "stored_at", "erased_at")
]
_TAKEN = [
    f"{name} = CASE WHEN known.erased_at IS NULL THEN excluded.{name} ELSE known.{name} END"
    if name in tables.PERSONAL
    else f"{name} = excluded.{name}"
    for name in _ORDER_COLUMNS
    if name != "number"
]
_UPSERT_ORDERS = f"""
    INSERT INTO orders AS known (shop, final_since, {", ".join(_ORDER_COLUMNS)})
    SELECT :shop, CASE WHEN status_id = ANY(:final) THEN least(now(), CASE WHEN :old THEN created_at END) END,
           {", ".join(_ORDER_COLUMNS)}
    FROM arriving_orders
    ON CONFLICT (shop, number) DO UPDATE SET
        version = known.version + 1, stored_at = now(), gone_at = NULL,
        final_since = CASE WHEN excluded.final_since IS NOT NULL THEN coalesce(known.final_since, now()) END,
        {", ".join(_TAKEN)}
    WHERE known.hash <> excluded.hash OR known.gone_at IS NOT NULL
    RETURNING number, version
"""
_REPLACE_LINES = "DELETE FROM order_lines WHERE shop = :shop AND number = ANY(:numbers)"
_INSERT_LINES = """
    INSERT INTO order_lines (shop, number, product, price, quantity, title, kind)
    SELECT :shop, number, product, price, quantity, title, kind FROM arriving_order_lines
    WHERE number = ANY(:numbers)
"""
_UPSERT_CUSTOMERS = """
    INSERT INTO customers AS known (shop, identity, name, phone, email)
    SELECT :shop, identity, name, phone, email FROM arriving_customers
    WHERE identity IN (SELECT customer FROM orders WHERE shop = :shop AND number = ANY(:numbers))
    ON CONFLICT (shop, identity) DO UPDATE SET name = excluded.name, phone = excluded.phone, email = excluded.email
    WHERE (known.name, known.phone, known.email) <> (excluded.name, excluded.phone, excluded.email)
"""
# A price in another currency than the orders' comes as NULL: the line's stays then.
_UPSERT_PRODUCTS = """
    INSERT INTO products AS known (shop, product, article, title, description, barcode, price, listed, read_at)
    SELECT :shop, product, article, title, description, barcode, found.price, coalesce(listed, false),
           CASE WHEN listed IS NOT NULL THEN now() END
    FROM arriving_products arriving, LATERAL (SELECT coalesce(
        arriving.price,
        (SELECT price FROM products known WHERE (known.shop, known.product) = (:shop, arriving.product)),
        (SELECT min(price) FROM order_lines line WHERE (line.shop, line.product) = (:shop, arriving.product))
    ) AS price) found
    WHERE found.price IS NOT NULL
    ON CONFLICT (shop, product) DO UPDATE SET
        title = CASE WHEN excluded.listed THEN excluded.title ELSE known.title END,
        description = CASE WHEN excluded.listed THEN excluded.description ELSE known.description END,
        barcode = CASE WHEN excluded.listed THEN excluded.barcode ELSE known.barcode END,
        price = CASE WHEN excluded.listed THEN excluded.price ELSE known.price END,
        listed = excluded.listed, read_at = excluded.read_at
    WHERE excluded.read_at IS NOT NULL  -- from the shop's catalogue, not from a line
"""
# An order whose row was lost begins at version 1 again; what the outbox remembers as delivered was an earlier life's.
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
        priority = CASE WHEN waiting.wanted_version > waiting.delivered_version AND NOT waiting.held
                        THEN least(waiting.priority, excluded.priority) ELSE excluded.priority END,
        queued_at = now(), available_at = now(), attempts = 0, held = false
"""
_RELEASE = (
    "DELETE FROM held WHERE shop = :shop AND entity IN ('order', 'row') AND id = ANY(:numbers) RETURNING entity, id"
)
