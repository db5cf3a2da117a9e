"""Numbers that a shop has given to another order: its database was restored, or its counting began anew."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd
from sqlalchemy import Connection, text

from cartum_roapp.ledger.orders import NOT_WITHDRAWN

#: A moment that moves by less was corrected, or read in another time zone.
_APART = timedelta(days=1)


def found(connection: Connection, shop: str, arriving: pd.DataFrame) -> dict[str, tuple[datetime, datetime]]:
    """Returns number → when the known order was placed, and when the arriving one (UTC), of those that are another
    order: placed on another day, and by another buyer. One of the two alone is a correction. What was erased can't be
    compared."""
    if arriving.empty:
        return {}
    columns = ("number", "created_at", "customer", "buyer_name")
    orders = list(zip(*(arriving[name].tolist() for name in columns), strict=True))
    rows = connection.execute(text(_KNOWN), {"shop": shop, "numbers": [number for number, *_ in orders]})
    known = {number: (created_at, customer, name) for number, created_at, customer, name in rows}
    reused = {}
    for number, now, customer, name in orders:
        before, *buyer = known.get(number, (now, customer, name))
        # A buyer without phone and e-mail address is known by the order.
        is_another = customer != buyer[0] or (customer.startswith("order:") and name.casefold() != buyer[1].casefold())
        if is_another and abs(now - before) > _APART:
            reused[number] = (before, now)
    return reused


_KNOWN = f"""
    SELECT number, created_at, customer, buyer_name FROM orders
    WHERE shop = :shop AND number = ANY(:numbers) AND erased_at IS NULL AND {NOT_WITHDRAWN}
"""
