"""What RO App demands of a body before it writes: required fields, known ids, right shapes (roapp §3)."""

from __future__ import annotations

import json
import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from sandbox.faults import RoAppFaults
from sandbox.goods import Row
from sandbox.roapp_account import CLOSED_GROUPS, RoAppAccount

PERSON = {
    "first_name", "last_name", "birthday", "email", "phones", "notes", "address", "supplier", "manager_id",
    "ad_campaign_id",
    "discount_code", "custom_fields", "tags", "tax_identification_number",
}  # fmt: skip
ORGANIZATION = PERSON - {"first_name", "last_name", "birthday"} | {"name", "business_registration_number"}
ORDER = {
    "branch_id", "order_type_id", "client_id", "manager_id", "assignee_id", "asset_id", "payer_id", "ad_campaign_id",
    "scheduled_for", "scheduled_to", "resource_id", "malfunction", "manager_notes", "engineer_notes", "resume",
    "estimated_price", "due_date", "urgent", "custom_fields",
}  # fmt: skip
ITEM = {"entity_id", "assignee_id", "quantity", "price", "cost", "discount", "warranty", "tax_ids", "comment"}
PRODUCT = {"title", "code", "sku", "barcodes", "category_id", "description", "prices", "cost"}
PHONE = {"title", "phone", "notify", "has_viber", "has_whatsapp"}
REQUIRED = "is required"


class BodyError(Exception):
    """Nothing was written. `errors`: field → texts."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(", ".join(errors))
        self.errors = errors


class Checks:
    """The checks of one account; each method raises BodyError, or returns the fields to store."""

    def __init__(self, account: RoAppAccount) -> None:
        self.account = account

    def person(self, body: Row, old: Row | None, where: tuple[str, str]) -> Row:
        return self._contact(body, old, where, PERSON, "first_name")

    def organization(self, body: Row, old: Row | None, where: tuple[str, str]) -> Row:
        return self._contact(body, old, where, ORGANIZATION, "name")

    def _contact(self, body: Row, old: Row | None, where: tuple[str, str], known: set[str], name: str) -> Row:
        errors: dict[str, list[str]] = {}
        if (old is None or name in body) and not _text(body.get(name)):
            errors[name] = [REQUIRED]
        if body.get("email") and ("@" not in str(body["email"]) or body["email"] in self.account.faults.refused_emails):
            errors["email"] = ["is not an e-mail address"]
        if body.get("address") and self.account.faults.addresses_refused:
            errors["address"] = ["can't be read"]
        self._employee(body, "manager_id", errors)
        phones = body.get("phones", [])
        stored = {phone["phone"] for phone in (old or {}).get("phones", [])}
        if not isinstance(phones, list) or any(
            not isinstance(phone, dict) or not _text(phone.get("phone")) for phone in phones
        ):
            errors["phones"] = ["must be a list of objects with phone"]
        else:
            for phone in phones:
                self._odd(set(phone) - PHONE, where, "phones.")
                if phone["phone"] in self.account.faults.refused_phones:
                    errors["phones"] = ["is not a phone"]
                if phone["phone"] not in stored and not re.fullmatch(r"\+\d{8,15}", phone["phone"]):
                    if self.account.faults.phone_strict:
                        errors["phones"] = ["must be + and digits with the country code"]
                    self.account.oddities.append(
                        {"method": where[0], "path": where[1], "what": "phone without +country code"}
                    )
        return self._stored(body, known, errors, where)

    def order(self, body: Row, old: Row | None, where: tuple[str, str]) -> Row:
        account, errors = self.account, dict[str, list[str]]()
        needed = ("branch_id", "order_type_id", "client_id", *account.faults.required_order_fields)
        for name in needed:
            if body.get(name) in (None, "") and (old is None or name in body):
                errors[name] = [REQUIRED]
        location = account.locations.get(_id(body.get("branch_id")))
        if body.get("branch_id") and (location is None or location["is_archived"]):
            errors["branch_id"] = ["location not found"]
        if body.get("order_type_id") and _id(body["order_type_id"]) not in account.order_types:
            errors["order_type_id"] = ["order type not found"]
        client = _id(body.get("client_id"))
        if body.get("client_id") and client not in account.contacts and client not in account.organizations:
            errors["client_id"] = ["client not found"]
        self._employee(body, "manager_id", errors)
        self._employee(body, "assignee_id", errors)
        for name in ("malfunction", "manager_notes", "engineer_notes", "resume"):
            if body.get(name) is not None and not isinstance(body[name], str):
                errors[name] = ["must be a string"]
        if "custom_fields" in body:
            body = {**body, "custom_fields": self._custom_fields(body["custom_fields"], old, errors)}
        if old is not None:
            self.unlocked(old)
        return self._stored(body, ORDER, errors, where)

    def item(self, body: Row, old: Row | None, where: tuple[str, str]) -> Row:
        account, errors = self.account, dict[str, list[str]]()
        for name in ("entity_id", "assignee_id", "quantity", "price", "cost", "discount", "warranty"):
            if body.get(name) is None and (old is None or name in body) and not (old and name == "entity_id"):
                errors[name] = [REQUIRED]
        entity = _id(body.get("entity_id"))
        if body.get("entity_id") is not None and entity not in account.products and entity not in account.services:
            errors["entity_id"] = ["product or service not found"]
        if old is not None and "entity_id" in body:
            errors["entity_id"] = ["can't be changed"]
        self._employee(body, "assignee_id", errors)
        for name in ("quantity", "price", "cost"):
            self._number(body, name, errors)
        quantity = body.get("quantity")
        zero_allowed = old is not None and account.faults.zero_quantity
        if "quantity" not in errors and quantity is not None and not _positive(quantity, zero_allowed):
            errors["quantity"] = ["must be greater than 0"]
        _discount(body.get("discount"), account.faults, errors)
        warranty = body.get("warranty")
        if warranty is not None and (not isinstance(warranty, dict) or not {"period", "periodUnits"} <= set(warranty)):
            errors["warranty"] = ["period and periodUnits are required"]
        if account.faults.price_digits is not None and body.get("price") is not None and "price" not in errors:
            step = Decimal(1).scaleb(-account.faults.price_digits)
            body = {**body, "price": Decimal(str(body["price"])).quantize(step, ROUND_HALF_UP)}
        return self._stored(body, ITEM, errors, where)

    def product(self, body: Row, where: tuple[str, str]) -> Row:
        errors: dict[str, list[str]] = {}
        if not _text(body.get("title")):
            errors["title"] = [REQUIRED]
        barcodes = body.get("barcodes", [])
        if not isinstance(barcodes, list) or any(not isinstance(code, (str, dict)) for code in barcodes):
            errors["barcodes"] = ["must be a list"]
        errors |= {name: ["is invalid"] for name in self.account.faults.product_refused if body.get(name)}
        category = body.get("category_id")
        if category is not None and _id(category) not in self.account.categories:
            errors["category_id"] = ["category not found"]
        if "prices" in body:
            body = {**body, "prices": self._prices(body["prices"], errors)}
        return self._stored(body, PRODUCT, errors, where)

    def _prices(self, prices: Any, errors: dict[str, list[str]]) -> list[Row]:
        """As they are stored, from the account's shape."""
        shape = self.account.faults.product_prices
        if shape == "object" and isinstance(prices, dict):
            return [{"id": int(type_), "price": price} for type_, price in prices.items()]
        if (
            shape != "list"
            or not isinstance(prices, list)
            or any(not isinstance(price, dict) or "price" not in price for price in prices)
        ):
            errors["prices"] = ["can't be set" if shape == "refused" else f"must be a {shape} of prices by type"]
            return []
        return prices

    def status(self, body: Row, order: Row) -> int:
        """The new status id; refused transitions and missing comments raise."""
        account = self.account
        status = _id(body.get("status_id"))
        if status not in account.statuses:
            raise BodyError({"status_id": ["status not found" if body.get("status_id") else REQUIRED]})
        if status in account.faults.refused_statuses:
            raise BodyError({"status_id": [f"transition from {order['status_id']} is not allowed"]})
        if status in account.faults.comment_statuses and not _text(body.get("comment")):
            raise BodyError({"comment": [REQUIRED]})
        return status

    def unlocked(self, order: Row) -> None:
        """Raises for an order in a closed status where those are locked."""
        group = self.account.statuses[order["status_id"]]["group"]["type"]
        if self.account.faults.closed_locks and group in CLOSED_GROUPS:
            raise BodyError({"status_id": ["the order is closed"]})

    def _employee(self, body: Row, name: str, errors: dict[str, list[str]]) -> None:
        value = body.get(name)
        if value is not None and not self.account.employees.get(_id(value), {}).get("is_active"):
            errors[name] = ["employee not found"]

    def _number(self, body: Row, name: str, errors: dict[str, list[str]]) -> None:
        value = body.get(name)
        if value is None or name in errors:
            return
        try:
            valid = not isinstance(value, bool) and Decimal(str(value)).is_finite()
        except InvalidOperation:
            valid = False
        if not valid or (isinstance(value, str) and "," in value):
            errors[name] = ["must be a number"]

    def _custom_fields(self, value: Any, old: Row | None, errors: dict[str, list[str]]) -> Row:
        form = self.account.faults.custom_fields_as
        if isinstance(value, str) and form in ("string", "both"):
            try:
                value = json.loads(value)
            except ValueError:
                value = None
        elif form == "string":
            value = None
        fields = {f"f{id_}" for id_ in self.account.custom_fields}
        if (
            not isinstance(value, dict)
            or any(not isinstance(text, str) for text in value.values())
            or set(value) - fields
        ):
            errors["custom_fields"] = ["is invalid"]
            return {}
        kept = (old or {}).get("custom_fields", {}) if self.account.faults.custom_fields_merge else {}
        return {**kept, **value}

    def _stored(self, body: Row, known: set[str], errors: dict[str, list[str]], where: tuple[str, str]) -> Row:
        if errors:
            raise BodyError(errors)
        self._odd(set(body) - known, where)
        return {name: value for name, value in body.items() if name in known}

    def _odd(self, unknown: set[str], where: tuple[str, str], prefix: str = "") -> None:
        for name in sorted(unknown):
            self.account.oddities.append(
                {"method": where[0], "path": where[1], "what": f"unknown field {prefix}{name}"}
            )


def _discount(discount: Any, faults: RoAppFaults, errors: dict[str, list[str]]) -> None:
    if discount is None:
        return
    if not isinstance(discount, dict):
        errors["discount"] = ["must be an object"]
        return
    for name in ("type", "percentage", "amount", "sponsor"):
        if discount.get(name) is None:
            errors[f"discount.{name}"] = [REQUIRED]
    if discount.get("type") not in (None, "percentage", "value"):
        errors["discount.type"] = ["must be percentage or value"]
    if discount.get("sponsor") not in (None, "staff", "company"):
        errors["discount.sponsor"] = ["must be staff or company"]


def _positive(value: Any, or_zero: bool) -> bool:
    return Decimal(str(value)) > 0 or (or_zero and Decimal(str(value)) == 0)


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _id(value: Any) -> int:
    return int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdigit()) else -1
