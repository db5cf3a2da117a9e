"""Fresh records of an account with all their fields (roapp §3), and what a line costs."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.faults import RoAppFaults
from sandbox.goods import Row

ORDER_TEXTS = ("malfunction", "manager_notes", "engineer_notes", "resume", "estimated_price")


def new_contact(id: int, now: str, **fields: Any) -> Row:
    contact = {
        "id": id, "first_name": "", "last_name": "", "email": "", "phones": [], "address": "", "notes": "",
        "birthday": None, "supplier": False, "manager_id": None, "ad_campaign_id": None, "ad_campaign": None,
        "discount_code": None, "tags": [], "custom_fields": {}, "tax_identification_number": None,
        "created_at": now, "modified_at": now, **fields,
    }  # fmt: skip
    contact["phones"] = [phone_object(phone) for phone in contact["phones"]]
    return contact


def new_organization(id: int, now: str, **fields: Any) -> Row:
    """As a person, with a name and a number of its own in place of first and last name (roapp §3.1)."""
    row = new_contact(id, now, **{"name": "", "business_registration_number": None, **fields})
    return {name: value for name, value in row.items() if name not in ("first_name", "last_name", "birthday")}


def new_product(id: int, *, price: str | None = None, **fields: Any) -> Row:
    product = {
        "id": id, "category_id": None, "title": "", "description": "", "code": "", "sku": "", "cost": "0.00",
        "barcodes": [], "prices": [] if price is None else [{"id": 18001, "price": price}], **fields,
    }  # fmt: skip
    product["barcodes"] = [barcode_object(code) for code in product["barcodes"]]
    return product


def new_order(id: int, number: str, status_id: int, now: str, **fields: Any) -> Row:
    return {
        "id": id, "number": number, "status_id": status_id, "created_at": now, "modified_at": now, "manager_id": None,
        "assignee_id": None, "scheduled_for": None, "scheduled_to": None, "due_date": None,
        **dict.fromkeys(ORDER_TEXTS, ""), "urgent": False, "custom_fields": {}, "total": "0.00", **fields,
    }  # fmt: skip


def phone_object(phone: Any) -> Row:
    """A phone as contacts hold it; a bare text becomes the main one."""
    given = phone if isinstance(phone, dict) else {"phone": phone}
    return {"title": "", "phone": "", "notify": True, "has_viber": False, "has_whatsapp": False, **given}


def barcode_object(code: Any) -> Row:
    """A bar code as products hold it; a bare text is its code."""
    return dict(code) if isinstance(code, dict) else {"code": str(code)}


def line_sum(item: Row, faults: RoAppFaults) -> Decimal:
    """Price × quantity less the line's discount, as this account counts it."""
    quantity = Decimal(str(item["quantity"]))
    total = Decimal(str(item["price"])) * quantity
    discount = item.get("discount") or {}
    if discount.get("type") == "value":
        each = quantity if faults.discount_amounts == "unit" else 1
        total -= Decimal(str(discount.get("amount") or 0)) * each
    else:
        total *= (100 - Decimal(str(discount.get("percentage") or 0))) / 100
    step = Decimal(1) if faults.line_rounding == "whole" else Decimal("0.01")
    return total.quantize(step, ROUND_DOWN if faults.line_rounding == "down" else ROUND_HALF_UP)
