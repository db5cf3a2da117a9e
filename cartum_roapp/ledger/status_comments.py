"""Which statuses of RO App ask for a comment, as the account has shown."""

from __future__ import annotations

from sqlalchemy import Connection, text


def is_asked(connection: Connection, account: str, status: int) -> bool:
    """Returns whether a change to this status needs a comment, as far as an earlier one has shown."""
    query = text("SELECT :status = ANY(comment_statuses) FROM accounts WHERE name = :account")
    return bool(connection.scalar(query, {"account": account, "status": status}))


def learn(connection: Connection, account: str, status: int) -> None:
    """A change to this status was taken with a comment only. May be called twice."""
    connection.execute(
        text(
            "UPDATE accounts SET comment_statuses = comment_statuses || CAST(:status AS bigint) "
            "WHERE name = :account AND NOT :status = ANY(comment_statuses)"
        ),
        {"account": account, "status": status},
    )
