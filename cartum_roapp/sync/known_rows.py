"""Rows of the shop that came as they are stored: they are not read again."""

from __future__ import annotations

from collections.abc import Mapping

from cartum_roapp.ledger import database, orders
from cartum_roapp.orders.catalogue import article_key
from cartum_roapp.orders.rows import lines_of
from cartum_roapp.orders.texts import clean
from cartum_roapp.sync.fetch import Row, Rows
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.transform import row_digests


def known_rows(run: Run, rows: Rows, catalogue: Mapping[str, object]) -> dict[str, str]:
    """Returns number → the digest of the row, of orders that are stored as they came. One whose product was just read
    from the shop's `catalogue` is not among them, so that the product is stored."""
    with database.reading(run.engine) as connection:
        stored = orders.stored_rows(connection, run.shop.key, list(rows))
    digests, known = row_digests(run.shop), {}
    for number, (digest, hash_, status) in stored.items():
        row = rows[number]
        if digests.over(row)(hash_, status) == digest and not (catalogue and _has_one_of(row, catalogue)):
            known[number] = digest
    return known


def _has_one_of(row: Row, catalogue: Mapping[str, object]) -> bool:
    return any(article_key(clean(line.get("article"))) in catalogue for line in lines_of(row) if isinstance(line, dict))
