"""The comments of RO App's order. They can't be read back, so each is noted before it is sent, and sent at most once
for each time that it became the newest one. Only the holder of the account's lock writes them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class Due:
    """A comment that is to be sent."""

    sequence: int
    text: str


def add(connection: Connection, shop: str, number: str, hash: str, words: str | None) -> None:
    """Notes the newest comment. `words`: its text, None where RO App has it already."""
    values = {"shop": shop, "number": number, "hash": hash, "words": words}
    connection.execute(text(_ADD), values)


def due(connection: Connection, shop: str, number: str) -> list[Due]:
    """Returns those that are to be sent, in this order."""
    rows = connection.execute(text(_DUE), {"shop": shop, "number": number})
    return [Due(**row._mapping) for row in rows]


def keep(connection: Connection, shop: str, number: str, sequence: int, words: str | None) -> None:
    """Keeps the text of a comment that was not sent after all, or no text: from now on it counts as sent."""
    values = {"shop": shop, "number": number, "sequence": sequence, "words": words}
    connection.execute(text(_KEEP), values)


def drop_due(connection: Connection, shop: str, number: str) -> None:
    """All of the order count as sent."""
    query = "UPDATE comments SET text = NULL WHERE shop = :shop AND number = :number AND text IS NOT NULL"
    connection.execute(text(query), {"shop": shop, "number": number})


_ADD = """
    INSERT INTO comments (shop, number, sequence, hash, text)
    SELECT :shop, :number, coalesce(max(sequence), 0) + 1, :hash, :words FROM comments
    WHERE shop = :shop AND number = :number
"""
_DUE = """
    SELECT sequence, text FROM comments
    WHERE shop = :shop AND number = :number AND text IS NOT NULL ORDER BY sequence
"""
_KEEP = "UPDATE comments SET text = :words WHERE shop = :shop AND number = :number AND sequence = :sequence"
