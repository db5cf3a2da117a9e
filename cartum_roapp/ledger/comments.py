"""The comments of RO App's order. They can't be read back, so each is noted before it is sent, and sent at most once
for each time that it became the newest one. Only the holder of the account's lock writes them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class Due:
    """A comment that is to be sent. `is_ours`: it was noted in this very database; in a ledger that was restored since,
    nobody knows whether it was sent."""

    sequence: int
    text: str
    is_ours: bool


#: This database as it runs now: a ledger that was restored, whatever way, runs in another one, or its rows were written
#: by another transaction. Together with the transaction that wrote a row, it shows that nothing was restored.
_HERE = (
    "(SELECT oid FROM pg_database WHERE datname = current_database()) || ' ' || "
    "extract(epoch FROM pg_postmaster_start_time()) || ' '"
)


def add(connection: Connection, shop: str, number: str, hash: str, words: str | None) -> None:
    """Notes the newest comment. `words`: its text, None where RO App has it already."""
    values = {"shop": shop, "number": number, "hash": hash, "words": words}
    connection.execute(text(_ADD), values)


def due(connection: Connection, shop: str, number: str) -> list[Due]:
    """Returns those that are to be sent, in this order."""
    rows = connection.execute(text(_DUE), {"shop": shop, "number": number})
    return [Due(row.sequence, row.text, row.is_ours) for row in rows]


def keep(connection: Connection, shop: str, number: str, sequence: int, words: str | None) -> None:
    """Keeps the text of a comment that was not sent after all, or no text: from now on it counts as sent."""
    values = {"shop": shop, "number": number, "sequence": sequence, "words": words}
    connection.execute(text(_KEEP), values)


def take_back(connection: Connection, shop: str, number: str) -> None:
    """Forgets the newest comment: RO App has refused it, and it is to be noted again."""
    connection.execute(text(_TAKE_BACK), {"shop": shop, "number": number})


_ADD = f"""
    INSERT INTO comments (shop, number, sequence, hash, text, noted_in)
    SELECT :shop, :number, coalesce(max(sequence), 0) + 1, :hash, :words, {_HERE} || pg_current_xact_id()::xid
    FROM comments
    WHERE shop = :shop AND number = :number
"""
_DUE = f"""
    SELECT sequence, text, noted_in = {_HERE} || xmin AS is_ours FROM comments
    WHERE shop = :shop AND number = :number AND text IS NOT NULL ORDER BY sequence
"""
_KEEP = f"""
    UPDATE comments SET text = :words, noted_in = {_HERE} || pg_current_xact_id()::xid
    WHERE shop = :shop AND number = :number AND sequence = :sequence
"""
_TAKE_BACK = """
    DELETE FROM comments WHERE shop = :shop AND number = :number
    AND sequence = (SELECT max(sequence) FROM comments WHERE shop = :shop AND number = :number)
"""
