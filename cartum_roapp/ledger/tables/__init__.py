"""All tables. Times are UTC, money is exact, identities are text. docs/reference.md shows what each column is.

Columns that hold a buyer's personal data: those of PERSONAL in `orders`, `links.key` and `creations.names` of contacts,
`held.payload`; a person may have written some into `held.dismissed_because`.
"""

from __future__ import annotations

from cartum_roapp.ledger.tables.columns import EVERYWHERE, metadata
from cartum_roapp.ledger.tables.matches import catalogue, links, markers, order_matches
from cartum_roapp.ledger.tables.shop_data import PERSONAL, order_lines, orders, products
from cartum_roapp.ledger.tables.shops import accounts, call_slots, counters, runs, shops
from cartum_roapp.ledger.tables.work import backfills, creations, held, order_events, outbox

__all__ = [
    "EVERYWHERE",
    "PERSONAL",
    "accounts",
    "backfills",
    "call_slots",
    "catalogue",
    "counters",
    "creations",
    "held",
    "links",
    "markers",
    "metadata",
    "order_events",
    "order_lines",
    "order_matches",
    "orders",
    "outbox",
    "products",
    "runs",
    "shops",
]
