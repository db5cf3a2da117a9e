"""What a test reads in an account afterwards: markers, and records that are there twice."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from sandbox.goods import Row
from sandbox.people import normal_phone

MARKER = re.compile(r"\[([a-z]{6}:[^\]\s]+)\]")


def marker(text: object) -> str | None:
    """`"abcdef:1042"` of a text that starts with `[abcdef:1042]`."""
    found = MARKER.match(text) if isinstance(text, str) else None
    return found[1] if found else None


def marked(orders: dict[int, Row]) -> dict[str, list[Row]]:
    """Orders by marker; an order with the same marker in two places counts once."""
    result: dict[str, list[Row]] = defaultdict(list)
    for order in orders.values():
        texts = [order.get("manager_notes"), *(order.get("custom_fields") or {}).values()]
        for found in {name for text in texts if (name := marker(text))}:
            result[found].append(order)
    return dict(result)


def identities(product: Row) -> Iterator[str]:
    """All by which a product may be identified: code, SKU, bar codes, and the title of one without any."""
    named = {"code": product.get("code"), "sku": product.get("sku")}
    keys = [f"{name}:{value}" for name, value in named.items() if value]
    keys += [f"barcode:{barcode['code']}" for barcode in product.get("barcodes") or [] if barcode.get("code")]
    yield from keys or [f"name:{' '.join(str(product.get('title')).casefold().split())}"]


def _by_phone(contacts: dict[int, Row]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for contact in contacts.values():
        for phone in {normal_phone(phone["phone"]) for phone in contact["phones"]} - {""}:
            found[phone].append(contact["id"])
    return found


def duplicates(
    orders: dict[int, Row],
    contacts: dict[int, Row],
    products: dict[int, Row],
    organizations: dict[int, Row],
    seeded: dict[str, set[int]],
) -> dict[str, dict[str, list[int]]]:
    """Groups of more than one id, at least one of which is not of `seeded`."""
    by_phone, by_number = _by_phone(contacts), _by_phone(organizations)
    for one in organizations.values():
        for number in {one["business_registration_number"], one["tax_identification_number"]} - {None, ""}:
            by_number[number].append(one["id"])
    by_identity: dict[str, list[int]] = defaultdict(list)
    for product in products.values():
        for key in set(identities(product)):
            by_identity[key].append(product["id"])
    by_marker = {name: [order["id"] for order in found] for name, found in marked(orders).items()}

    def several(groups: dict[str, list[int]], kind: str) -> dict[str, list[int]]:
        return {key: ids for key, ids in groups.items() if len(ids) > 1 and not set(ids) <= seeded[kind]}

    return {
        "orders": several(by_marker, "orders"),
        "contacts": several(by_phone, "contacts"),
        "products": several(by_identity, "products"),
        "organizations": several(by_number, "organizations"),
    }
