"""Orders that a read by number did not return: deleted in the shop, or hidden from a login that lost rights."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, text

#: So many of the orders that are believed to be there, and at least so many, don't vanish at once by themselves.
CROWD_SHARE = 0.05
CROWD_FEW = 5


def found_again(connection: Connection, shop: str, numbers: Collection[str]) -> None:
    """The shop has these orders: what an earlier read by number missed of them was a slip. Writes nothing where nothing
    was missed."""
    connection.execute(text(_FOUND), {"shop": shop, "numbers": list(numbers)})


def crowd(connection: Connection, shop: str, asked: int, missing: Sequence[str]) -> int | None:
    """Of how many orders that the ledger believes there these are missing, where `is_crowd` says that they are too many
    at once. `asked` alone would not tell: it lacks those that other reads of the run have returned."""
    if not missing:
        return None
    believed = max(asked, connection.execute(text(_BELIEVED), {"shop": shop}).scalar_one())
    return believed if is_crowd(len(missing), believed) else None


def note(connection: Connection, *, shop: str, run: str, missing: Sequence[str], deleted: bool = False) -> list[str]:
    """Records what a read by number did not return. Returns the numbers now taken for deleted: those that an earlier
    run missed as well, or all where a person says that they are `deleted`. A `crowd` is not to be noted."""
    if not missing:
        return []
    rows = connection.execute(
        text("SELECT number FROM missing_orders WHERE shop = :shop AND run <> :run AND number = ANY(:numbers)"),
        {"shop": shop, "run": run, "numbers": list(missing)},
    )
    gone = list(missing) if deleted else [row.number for row in rows]
    connection.execute(
        text(
            "INSERT INTO missing_orders (shop, number, run) SELECT :shop, unnest(CAST(:numbers AS text[])), :run "
            "ON CONFLICT DO NOTHING"
        ),
        {"shop": shop, "run": run, "numbers": list(missing)},
    )
    if gone:
        connection.execute(
            text("UPDATE orders SET gone_at = now() WHERE shop = :shop AND number = ANY(:gone) AND gone_at IS NULL"),
            {"shop": shop, "gone": gone},
        )
    return gone


def is_crowd(missing: int, believed: int) -> bool:
    """Are so many of the orders that are believed to be there missing at once that lost rights are the likelier
    reason?"""
    all_gone = missing == believed and believed > 1
    return all_gone or (missing >= CROWD_FEW and missing > believed * CROWD_SHARE)


_BELIEVED = """
    SELECT count(*) FROM orders
    WHERE shop = :shop AND gone_at IS NULL AND (final_since IS NULL OR final_since > now() - interval '14 days')
"""
_FOUND = "DELETE FROM missing_orders WHERE shop = :shop AND number = ANY(:numbers)"
