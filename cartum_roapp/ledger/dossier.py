"""Everything that the ledger knows about one order, for the person who finds out why it is held."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, text

from cartum_roapp.apis.masking import MASK, mask
from cartum_roapp.ledger import database, journal
from cartum_roapp.ledger.journal import Event, Kind
from cartum_roapp.ledger.matches import CONTACT

#: A buyer's personal data, shown only to the person who asks for it.
BUYER = (
    "buyer_name", "buyer_phone", "buyer_phones", "phone_remark", "buyer_email", "company", "company_number",
    "company_tax", "delivery_city", "delivery_address", "comment", "manager_comment",
)  # fmt: skip
KINDS = {False: "person", True: "organization"}

# What of a raw row says nothing about a buyer (cartum §2.3, §2.5).
_PLAIN = {
    "order_id", "stat_created", "stat_status", "total_sum", "total_default", "total_quantity", "currency", "payed",
    "discount_percent", "discount_value", "delivery_type", "delivery_price", "payment_type", "payment_price",
    "products", "id", "title", "article", "price", "quantity", "total_price", "type", "discount_marker",
}  # fmt: skip

#: The buyer of a row of `orders`, as contacts are known by (delivery.contact_keys).
IDENTITY = "CASE WHEN customer LIKE 'order:%' THEN 'order:' || orders.shop || ':' || orders.number ELSE customer END"
_ORDER = f"""
    SELECT orders.number, orders.created_at, orders.status_id, orders.gone_at, orders.erased_at, orders.version,
           orders.total, orders.currency, orders.delivery_method, orders.payment_method, orders.paid,
           {", ".join(BUYER)},
           match.ro_id, match.roapp_number, {CONTACT} AS contact_id, contact.organization, contact.reason,
           CAST(match.fields #>> '{{status_id,0}}' AS integer) AS sent_status,
           outbox.wanted_version, outbox.delivered_version, outbox.held, outbox.available_at, outbox.attempts
    FROM orders LEFT JOIN order_matches match USING (shop, number) LEFT JOIN outbox USING (shop, number)
    LEFT JOIN links contact ON contact.account = match.account AND contact.kind = 'contact'
        AND contact.ro_id = {CONTACT} AND contact.key = {IDENTITY}
    WHERE orders.shop = :shop AND orders.number = ANY(:numbers)
"""
_LINES = """
    SELECT line.product, line.title, line.price, line.quantity, (
        SELECT item_id FROM agreed_lines match
        WHERE (match.shop, match.number, match.product) = (line.shop, line.number, line.product) AND match.quantity > 0
        ORDER BY match.price <> line.price, item_id LIMIT 1  -- a discount may be in the price
    ), link.ro_id AS roapp_product, link.reason AS known_by
    FROM order_lines line JOIN shops ON shops.key = line.shop
    LEFT JOIN links link ON link.account = shops.account AND link.kind = 'product'
        AND link.key = line.shop || '/' || line.product
    WHERE line.shop = :shop AND line.number = :number ORDER BY line.product, line.price
"""


def orders(engine: Engine, shop: str, numbers: list[str], *, personal: bool) -> dict[str, dict[str, Any]]:
    """Number → the order as last read: number, created_at (UTC), status_id, total, currency … `roapp_id` (None where
    RO App lacks it) with `roapp_number`, the one that people see there, its buyer there (`contact_id`, `contact_kind`,
    and why in `contact_because`), `delivery`, where it stands in words, and `next_try` (UTC), None where it is due or
    waits for nothing. Buyers' data only with `personal`."""
    with database.reading(engine) as connection:
        rows = connection.execute(text(_ORDER), {"shop": shop, "numbers": numbers}).mappings().all()
    return {row["number"]: _order(dict(row), personal=personal) for row in rows}


def order(engine: Engine, shop: str, number: str, *, personal: bool) -> dict[str, Any] | None:
    """The same of one order with its `lines`: product, title, price, quantity, RO App's line and product; and
    `both_changed`: when both sides had set its status, and which. None where the ledger does not know it."""
    found = orders(engine, shop, [number], personal=personal).get(number)
    if found is None:
        return None
    with database.reading(engine) as connection:
        lines = connection.execute(text(_LINES), {"shop": shop, "number": number}).mappings().all()
    both = journal.of_order(engine, shop, number, [Kind.CONTEST])
    return {**found, "lines": [dict(line) for line in lines], "both_changed": list(map(contest, both))}


def contest(event: Event) -> dict[str, Any]:
    """Returns a contest (`journal.Kind`) as a document: number, at (UTC), and what both sides had set, by name."""
    at = event.at.isoformat(timespec="seconds")
    return {"number": event.number, "at": at, **event.details, "taken": "shop"}


def without_buyer(value: Any) -> Any:
    """A row as the shop sent it, fit to be shown: what may be about a buyer is masked, all else is kept."""
    if isinstance(value, Mapping):
        return {name: without_buyer(part) if name in _PLAIN else part and MASK for name, part in value.items()}
    if isinstance(value, list):
        return [without_buyer(part) for part in value]
    return mask(value) if isinstance(value, str) else value


def _order(row: Mapping[str, Any], *, personal: bool) -> dict[str, Any]:
    shown = ("number", "created_at", "status_id", "gone_at", "erased_at", "version", "total", "currency",
             "delivery_method", "payment_method", "paid")  # fmt: skip
    return {
        **{name: row[name] for name in shown},
        "roapp_id": row["ro_id"],
        "roapp_number": row["roapp_number"] or None,
        "contact_id": row["contact_id"],
        "contact_kind": None if row["organization"] is None else KINDS[row["organization"]],
        "contact_because": row["reason"],
        "sent_status": row["sent_status"],
        "delivery": _delivery(row),
        "next_try": _next_try(row),
        **({name: row[name] for name in BUYER} if personal else {}),
    }


def _delivery(row: Mapping[str, Any]) -> str:
    if row["wanted_version"] is None:
        return "not asked for"
    if row["wanted_version"] == row["delivered_version"] == 0:
        return "not asked for any more: its backfill was canceled"
    there = "RO App has an earlier version" if row["delivered_version"] else "RO App does not have it yet"
    if row["delivered_version"] >= row["wanted_version"]:
        return "delivered"
    if row["held"]:
        return f"held; {there}"
    return f"waiting; {there}"


def _next_try(row: Mapping[str, Any]) -> datetime | None:
    waits = row["wanted_version"] is not None and row["delivered_version"] < row["wanted_version"] and not row["held"]
    return row["available_at"] if waits and row["available_at"] > datetime.now(UTC) else None
