"""How the shop differs from the ledger, field by field, in words. Of a buyer's data only the name of what changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from cartum_roapp.ledger import journal, shop_statuses
from cartum_roapp.ledger.journal import Change, Kind
from cartum_roapp.ledger.tables import PERSONAL

#: The discount of an order, and of one of its lines.
DISCOUNT = "discount"
#: Of an order that is new.
NOTED = ("number", "status_id", "total", "currency")
# Columns of `orders` → what people call them. `customer` is made of the buyer's other data.
_NAMES = {
    "status_id": "status",
    "total": "total",
    "discount": DISCOUNT,
    "currency": "currency",
    "delivery_method": "delivery",
    "delivery_price": "delivery price",
    "payment_method": "payment",
    "payment_price": "payment fee",
    "paid": "paid",
    "without_callback": "do not call back",
    "created_at": "placed",
    "waybill": "waybill",
    "coupon": "coupon",
    "buyer_name": "buyer's name",
    "buyer_phone": "buyer's phone",
    "buyer_phone_raw": "buyer's phone",
    "buyer_phones": "buyer's phone",
    "phone_remark": "buyer's phone",
    "buyer_email": "buyer's e-mail",
    "company": "buyer's company",
    "company_number": "buyer's company",
    "company_tax": "buyer's company",
    "delivery_city": "delivery address",
    "delivery_address": "delivery address",
    "comment": "buyer's comment",
    "manager_comment": "manager's note",
}


def note(connection: Connection, shop: str, moved: Iterable[tuple[Any, ...]], known: Collection[str]) -> set[str]:
    """Notes which of the arriving orders are new here, and what changed in the `known` ones, before they are stored.
    `moved`: the columns `NOTED` of each. Returns those in which nothing changed."""
    names = shop_statuses.names(connection, shop)
    arriving = list(moved)
    changed = _arriving(connection, shop, [number for number, *_ in arriving if number in known], names)
    events = []
    for number, status_id, asked, currency in arriving:
        if changed.get(number):
            events.append(journal.event(shop, number, Kind.CHANGED, changes=changed[number]))
        elif number not in changed:
            status, total = _status(names, status_id), f"{amount(asked)} {currency}"
            events.append(journal.event(shop, number, Kind.SEEN, status=status, total=total))
    journal.write(connection, events)
    return {number for number, found in changed.items() if not found}


def note_released(connection: Connection, shop: str, records: Iterable[Any]) -> None:
    """Notes that these records (entity, id, code) are no longer held, because the shop has sent their order."""
    because = {"order": "the order changed in the shop", "row": "the row can be read now"}
    events = [
        journal.event(shop, one.id, Kind.RELEASED, entity=one.entity, code=one.code, because=because[one.entity])
        for one in records
    ]
    journal.write(connection, events)


def _arriving(
    connection: Connection, shop: str, numbers: Collection[str], statuses: Mapping[str, str]
) -> dict[str, list[Change]]:
    """Returns order number → what changes, of these orders of the ledger: where the tables `arriving_orders` and
    `arriving_order_lines` (ledger.arriving) differ. An order that was missing in the shop is there again."""
    if not numbers:
        return {}
    values = {"shop": shop, "numbers": list(numbers)}
    found = {
        row["number"]: _of_order(dict(row), statuses) for row in connection.execute(text(_ORDERS), values).mappings()
    }
    lines: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for row in connection.execute(text(_LINES), values).mappings():
        lines.setdefault(row["number"], {}).setdefault(row["product"], []).append(dict(row))
    for number, products in lines.items():
        found[number] += [change for rows in products.values() for change in _of_product(rows)]
    return found


def amount(value: Decimal | None) -> str | None:
    """Money with two decimals."""
    return None if value is None else f"{value:.2f}"


def _of_order(row: Mapping[str, Any], statuses: Mapping[str, str]) -> list[Change]:
    changes: dict[str, Change] = {}
    if row["gone"]:
        changes["in the shop"] = ("in the shop", "deleted", "there again")
    for column, name in _NAMES.items():
        before, after = row[f"{column}_before"], row[column]
        if before == after or name in changes:
            continue
        if column in PERSONAL:
            if not row["erased"]:
                changes[name] = (name, None, None)
        elif column == "status_id":
            changes[name] = (name, _status(statuses, before), _status(statuses, after))
        else:
            changes[name] = (name, _shown(before), _shown(after))
    return list(changes.values())


def _of_product(rows: list[Mapping[str, Any]]) -> list[Change]:
    """What changed in the lines of one product. A price that changed is one line that went and one that came."""
    gone = [row for row in rows if row["quantity"] is None]
    new = [row for row in rows if row["quantity_before"] is None]
    changes: list[Change] = []
    while gone and new:
        before, after = gone.pop(0), new.pop(0)
        changes.append(("line", _line(before, "quantity_before", priced=True), _line(after, "quantity", priced=True)))
    changes += [("line", _line(row, "quantity_before", priced=True), None) for row in gone]
    changes += [("line", None, _line(row, "quantity", priced=True)) for row in new]
    both = [row for row in rows if None not in (row["quantity"], row["quantity_before"])]
    return changes + [("line", _line(row, "quantity_before"), _line(row, "quantity")) for row in both]


def _line(row: Mapping[str, Any], quantity: str, *, priced: bool = False) -> str:
    line = f"{row[quantity].normalize():f} × {row['title']}"
    return f"{line} at {amount(row['price'])}" if priced else line


def _status(names: Mapping[str, str], id: int) -> str:
    return names.get(str(id)) or str(id)


def _shown(value: object) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return amount(value)
    return None if value in (None, "") else str(value)


_ORDERS = f"""
    SELECT number, known.gone_at IS NOT NULL AS gone, known.erased_at IS NOT NULL AS erased,
           {", ".join(f"known.{name} AS {name}_before, arriving.{name}" for name in _NAMES)}
    FROM arriving_orders arriving JOIN orders known USING (number)
    WHERE known.shop = :shop AND number = ANY(:numbers)
"""
_LINES = """
    SELECT number, product, price, coalesce(arriving.title, known.title) AS title,
           known.quantity AS quantity_before, arriving.quantity
    FROM (SELECT * FROM order_lines WHERE shop = :shop AND number = ANY(:numbers)) known
    FULL JOIN (SELECT * FROM arriving_order_lines WHERE number = ANY(:numbers)) arriving USING (number, product, price)
    WHERE known.quantity IS DISTINCT FROM arriving.quantity ORDER BY number, title, product, price
"""
