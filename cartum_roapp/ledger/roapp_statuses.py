"""The statuses of RO App, as the accounts have shown them: their names, which of them ask for a comment, and in which
one an order begins."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select, text, update

from cartum_roapp.ledger.tables import accounts


def is_asked(connection: Connection, account: str, status: int) -> bool:
    """Returns whether a change to this status needs a comment, as far as an earlier one has shown."""
    query = text("SELECT :status = ANY(comment_statuses) FROM accounts WHERE name = :account")
    return bool(connection.scalar(query, {"account": account, "status": status}))


def learn(connection: Connection, account: str, status: int) -> None:
    """A change to this status was taken with a comment only. Idempotent."""
    connection.execute(
        text(
            "UPDATE accounts SET comment_statuses = comment_statuses || CAST(:status AS bigint) "
            "WHERE name = :account AND NOT :status = ANY(comment_statuses)"
        ),
        {"account": account, "status": status},
    )


def first(connection: Connection, account: str, order_type: int) -> int | None:
    """Returns the status in which the last order of this type began that was seen right after it was made; None where
    none was."""
    query = text("SELECT CAST(first_statuses ->> :type AS bigint) FROM accounts WHERE name = :account")
    found: int | None = connection.scalar(query, {"account": account, "type": str(order_type)})
    return found


def note_first(connection: Connection, account: str, order_type: int, status: int) -> None:
    """An order of this type began in this status. Writes nothing where that is known."""
    query = """
        UPDATE accounts SET first_statuses = first_statuses || CAST(:began AS jsonb)
        WHERE name = :account AND NOT first_statuses @> CAST(:began AS jsonb)
    """
    connection.execute(text(query), {"account": account, "began": f'{{"{order_type}": {status}}}'})


def note_names(connection: Connection, account: str, names: Mapping[int, str]) -> None:
    """Notes what RO App calls its statuses. Idempotent."""
    named = {str(status): name for status, name in names.items()}
    connection.execute(update(accounts).where(accounts.c.name == account).values(status_names=named))


def names(connection: Connection, account: str) -> dict[int, str]:
    """Returns what RO App calls its statuses, by id; {} where nobody has looked for one yet."""
    found = connection.scalar(select(accounts.c.status_names).where(accounts.c.name == account))
    return {int(id): name for id, name in (found or {}).items()}
