"""A window of orders arrives: what is new or changed is stored and queued, in one transaction."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
import psycopg2.extensions
from sqlalchemy import Connection, Table, Text, text

from cartum_roapp.errors import Code
from cartum_roapp.ledger import changes, orders, tables
from cartum_roapp.ledger.orders import Priority, Queue
from cartum_roapp.orders.frames import Frames

#: Columns of orders by which it shows whether one changed.
_COMPARED = ("number", "hash", "status_id", "row_digest")


@dataclass(frozen=True)
class Stored:
    """What an upsert found: numbers new to the ledger, changed since the last read, and unchanged."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: int


def store(connection: Connection, frames: Frames, queue: Queue, *, final_statuses: Iterable[int]) -> Stored:
    """Upserts a window and queues what changed, in the caller's transaction.

    An order whose hash is the stored one touches no row at all; one whose buyer was erased changes, but gets no
    personal data back. A held order that changed in the shop is tried again, and seen again where a person has
    dismissed it. Idempotent for the same frames: the second call finds everything unchanged.
    """
    shop = queue.shop
    _store_read(connection, shop, frames.products)
    arriving = frames.orders
    if arriving.empty:
        return Stored((), (), len(frames.known))
    known_hashes, differs, respelt = orders.hashes(connection, shop, arriving["number"].tolist()), [], {}
    for number, hash_, status, digest in _rows(arriving, _COMPARED):
        known = known_hashes.get(number)
        differs.append(known is None or known[:-1] != (hash_, status, False))
        if not differs[-1] and known and known[-1] != digest:
            respelt[number] = digest
    moved = arriving[differs]
    unchanged = len(frames.known) + len(arriving) - len(moved)
    if respelt:
        read = {"shop": shop, "numbers": list(respelt), "digests": list(respelt.values())}
        connection.execute(text(_RENEW_DIGESTS), read)
    if moved.empty:
        return Stored((), (), unchanged)

    numbers = set(moved["number"])
    lines = frames.lines[frames.lines["number"].isin(numbers)]
    _copy(connection, tables.orders, moved)
    connection.execute(text(_LEAVE_ERASED), {"shop": shop})
    _copy(connection, tables.order_lines, lines)
    _copy(connection, tables.products, _among(frames.products, "product", lines["product"]))

    alike = changes.note(connection, shop, _rows(moved, changes.NOTED), known_hashes.keys())
    connection.execute(text(_RENEW_HASHES), {"shop": shop, "numbers": sorted(alike)})
    # What a backfill finds final has been final for long: it is not read again for two weeks.
    values = {"shop": shop, "final": sorted(final_statuses), "old": queue.new_as == Priority.BACKFILL}
    rows = connection.execute(text(_UPSERT_ORDERS), values).all()
    touched: dict[str, Any] = {"shop": shop, "numbers": [row.number for row in rows]}
    for statement in (_REPLACE_LINES, _INSERT_LINES, _UPSERT_PRODUCTS):
        connection.execute(text(statement), touched)
    orders.queue(connection, queue, touched["numbers"])
    touched |= {"deleted": Code.DELETED_IN_ROAPP, "doubled": Code.DOUBLED, "lost": Code.LINE_LOST}
    connection.execute(text(_SHOW_AGAIN), touched)
    changes.note_released(connection, shop, connection.execute(text(_RELEASE), touched))
    connection.execute(text("DROP TABLE arriving_orders, arriving_order_lines, arriving_products"))
    return Stored(
        new=tuple(row.number for row in rows if row.version == 1),
        changed=tuple(row.number for row in rows if row.version > 1),
        unchanged=len(frames.known) + len(arriving) - len(rows),
    )


def _store_read(connection: Connection, shop: str, products: pd.DataFrame) -> None:
    """Stores what the shop's catalogue was asked for, also where the orders did not change."""
    read = products[products["listed"].notna()]
    if not read.empty:
        _copy(connection, tables.products, read)
        connection.execute(text(_UPSERT_PRODUCTS), {"shop": shop})
        connection.execute(text("DROP TABLE arriving_products"))


def _among(frame: pd.DataFrame, column: str, values: pd.Series) -> pd.DataFrame:
    return frame[frame[column].isin(set(values))]


def _rows(frame: pd.DataFrame, columns: Iterable[str]) -> Iterator[tuple[Any, ...]]:
    return zip(*(frame[name].tolist() for name in columns), strict=True)


def _copy(connection: Connection, table: Table, frame: pd.DataFrame) -> None:
    """COPY into a temporary table `arriving_<table>` of exactly the frame's columns."""
    columns = [column.name for column in table.columns if column.name in frame.columns]
    listed = ", ".join(columns)
    texts = ", ".join(name for name in columns if isinstance(table.columns[name].type, Text))
    connection.execute(
        text(f"CREATE TEMP TABLE arriving_{table.name} ON COMMIT DROP AS SELECT {listed} FROM {table.name} LIMIT 0")
    )
    buffer = io.StringIO()
    csv.writer(buffer).writerows(_rows(frame, columns))  # None becomes ""
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
#: Of orders whose unreadable row was erased, what is about the buyer stays away.
_LEAVE_ERASED = f"""
    UPDATE arriving_orders SET {", ".join(f"{name} = ''" for name in tables.PERSONAL)}
    WHERE number IN (SELECT id FROM held WHERE shop = :shop AND entity = 'row' AND erased_at IS NOT NULL)
"""
_TAKEN = [
    f"{name} = CASE WHEN known.erased_at IS NULL THEN excluded.{name} ELSE known.{name} END"
    if name in tables.PERSONAL
    else f"{name} = excluded.{name}"
    for name in _ORDER_COLUMNS
    if name != "number"
]
_UPSERT_ORDERS = f"""
    INSERT INTO orders AS known (shop, final_since, erased_at, {", ".join(_ORDER_COLUMNS)})
    SELECT :shop, CASE WHEN status_id = ANY(:final) THEN least(now(), CASE WHEN :old THEN created_at END) END,
           (SELECT erased_at FROM held WHERE held.shop = :shop AND entity = 'row' AND id = number),
           {", ".join(_ORDER_COLUMNS)}
    FROM arriving_orders
    ON CONFLICT (shop, number) DO UPDATE SET
        version = known.version + 1, stored_at = now(), gone_at = NULL,
        erased_at = coalesce(known.erased_at, excluded.erased_at),
        final_since = CASE WHEN excluded.final_since IS NOT NULL THEN coalesce(known.final_since, now()) END,
        {", ".join(_TAKEN)}
    WHERE (known.hash, known.status_id) <> (excluded.hash, excluded.status_id) OR known.gone_at IS NOT NULL
    RETURNING number, version
"""
# The row looks otherwise, and says the same.
_RENEW_DIGESTS = """
    UPDATE orders SET row_digest = read.digest
    FROM unnest(CAST(:numbers AS text[]), CAST(:digests AS text[])) read(number, digest)
    WHERE orders.shop = :shop AND orders.number = read.number
"""
# A status that we set in the shop is stored with the hash of what was read there before.
_RENEW_HASHES = """
    UPDATE orders SET hash = arriving.hash FROM arriving_orders arriving
    WHERE orders.shop = :shop AND orders.number = arriving.number AND arriving.number = ANY(:numbers)
    AND orders.hash <> ''
"""
_REPLACE_LINES = "DELETE FROM order_lines WHERE shop = :shop AND number = ANY(:numbers)"
_INSERT_LINES = """
    INSERT INTO order_lines (shop, number, product, price, quantity, title)
    SELECT :shop, number, product, price, quantity, title FROM arriving_order_lines
    WHERE number = ANY(:numbers)
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
# One that RO App no longer had, had twice, or showed without a line, stays held until a delivery has looked there: the
# change may need no call.
_SHOW_AGAIN = """
    UPDATE held SET dismissed_at = NULL, dismissed_because = '' WHERE shop = :shop AND dismissed_at IS NOT NULL
    AND (entity = 'order' AND code IN (:deleted, :doubled, :lost) OR entity IN ('status', 'total', 'line'))
    AND split_part(id, '/', 1) = ANY(:numbers)
"""
_RELEASE = """
    DELETE FROM held WHERE shop = :shop AND entity IN ('order', 'row') AND code NOT IN (:deleted, :doubled, :lost)
    AND id = ANY(:numbers)
    RETURNING entity, id, code
"""
