"""Orders that a read by number did not return: deleted in the shop, or hidden from a login that lost rights."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

import orjson
from sqlalchemy import Connection, text

from cartum_roapp.ledger.orders import NOT_WITHDRAWN

#: If more than this share of the orders that are believed to be there vanish at once, and at least this many orders,
#: lost rights are the likelier reason.
LOST_RIGHTS_SHARE = 0.05
LOST_RIGHTS_LEAST = 5


def known_if_lost_rights(
    connection: Connection, shop: str, asked: int, missing: Sequence[str], open_for: timedelta
) -> int | None:
    """Returns how many orders the ledger believes to be there, if the missing ones suggest lost rights; otherwise None.
    It counts those that syncs read, so open ones as long as they are read (`open_for`). `asked`, the number of orders
    that were read by number, is too few: it lacks those that other reads of the run have returned. Rows that could
    never be read count on neither side: they may be deleted because they were bad."""
    if not missing:
        return None
    never_read = connection.execute(text(_NEVER_READ), {"shop": shop, "numbers": list(missing)}).scalar_one()
    counted = connection.execute(text(_BELIEVED), {"shop": shop, "open_for": open_for}).scalar_one()
    believed = max(asked - never_read, counted)
    return believed if suggests_lost_rights(len(missing) - never_read, believed) else None


def take_for_deleted(
    connection: Connection, *, shop: str, run: str, missing: Sequence[str], deleted: bool = False
) -> list[str]:
    """Returns which of the orders that a read by number did not return are now taken for deleted: those that an earlier
    run missed as well, or all if a person says that they are `deleted`. Not to be called if `known_if_lost_rights`
    returned a number."""
    if not missing:
        return []
    before = connection.execute(text("SELECT missed FROM shops WHERE key = :shop"), {"shop": shop}).scalar_one()
    gone = [number for number in missing if deleted or before.get(number, run) != run]
    connection.execute(
        text("UPDATE orders SET gone_at = now() WHERE shop = :shop AND number = ANY(:gone) AND gone_at IS NULL"),
        {"shop": shop, "gone": gone},
    )
    return gone


def note(connection: Connection, shop: str, run: str, *, known: Collection[str], missing: Collection[str] = ()) -> None:
    """Notes what this run missed, and forgets that orders were missed whose fate is `known`: the shop has them, or they
    count as deleted. Writes nothing where there is nothing to note. To be called last: others lock the shop last."""
    missed = orjson.dumps(dict.fromkeys(missing, run)).decode()
    connection.execute(text(_NOTE), {"shop": shop, "missed": missed, "known": list(known)})


def suggests_lost_rights(missing: int, believed: int) -> bool:
    """Returns whether so many of the orders that are believed to be there are missing at once that lost rights are the
    likelier reason."""
    all_gone = missing == believed > 1
    return all_gone or (missing >= LOST_RIGHTS_LEAST and missing > believed * LOST_RIGHTS_SHARE)


_BELIEVED = f"""
    SELECT count(*) FROM orders WHERE shop = :shop AND gone_at IS NULL AND {NOT_WITHDRAWN}
    AND (final_since IS NULL AND created_at > now() - :open_for OR final_since > now() - interval '14 days')
"""
_NEVER_READ = """
    SELECT count(*) FROM held WHERE shop = :shop AND entity = 'row' AND id = ANY(:numbers)
    AND NOT EXISTS (SELECT FROM orders WHERE (orders.shop, orders.number) = (held.shop, held.id))
"""
_NOTE = """
    UPDATE shops SET missed = (CAST(:missed AS jsonb) || missed) - CAST(:known AS text[])
    WHERE key = :shop AND (CAST(:missed AS jsonb) <> '{}' OR missed ?| CAST(:known AS text[]))
"""
