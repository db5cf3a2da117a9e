"""One RO App account: its company, contacts, products, orders, and what its staff can do by hand.

Records are plain dictionaries by id. An order: id, number, status_id, branch_id, order_type_id, client_id,
manager_id, assignee_id, manager_notes, custom_fields {"f123": text}, created_at, modified_at, total (text), …
A contact: id, first_name, last_name, email, phones [{title, phone, notify, has_viber, has_whatsapp}], notes, …
A product: id, title, code, sku, barcodes [{code}], prices [{id, price}], category_id, description, cost.
A line (in `items[order id]`): id, entity_id, assignee_id, quantity, price, cost, discount, warranty, write_offs.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import defaultdict
from decimal import Decimal
from typing import Any

from sandbox.clock import Clock
from sandbox.faults import RoAppFaults
from sandbox.goods import Row
from sandbox.people import normal_phone
from sandbox.roapp_evidence import duplicates, marked
from sandbox.roapp_records import (
    barcode_object,
    line_sum,
    new_contact,
    new_order,
    new_organization,
    new_product,
    phone_object,
)

CLOSED_GROUPS = (6, 7)


class RoAppAccount:
    """All methods may be called from any thread. What `seed` made is remembered in `seeded`, so that the checks of
    `duplicates()` speak only of what came through the API."""

    def __init__(self, index: int, api_key: str, *, clock: Clock, lock: threading.RLock) -> None:
        self.index, self.api_key, self.clock, self.lock = index, api_key, clock, lock
        self.base_url = ""
        self.faults = RoAppFaults()
        self.company: Row = {}
        self.locations: dict[int, Row] = {}
        self.order_types: dict[int, Row] = {}  # with initial_status_id
        self.employees: dict[int, Row] = {}
        self.statuses: dict[int, Row] = {}
        self.custom_fields: dict[int, Row] = {}
        self.categories: dict[int, Row] = {}
        self.services: dict[int, Row] = {}
        self.contacts: dict[int, Row] = {}
        self.organizations: dict[int, Row] = {}
        self.products: dict[int, Row] = {}
        self.orders: dict[int, Row] = {}
        self.items: dict[int, list[Row]] = defaultdict(list)
        self.comments: list[Row] = []  # id, order_id, comment, is_private, created_at
        self.oddities: list[Row] = []  # what a stricter server might refuse: method, path, what
        self.written_off: dict[int, float] = {}  # order's id → time.monotonic() of its first write-off
        self.seeded: dict[str, set[int]] = {kind: set() for kind in ("contacts", "organizations", "products", "orders")}
        self.revision = 0
        base = index * 1_000_000
        self._ids = {
            "contacts": itertools.count(51_200_001 + base), "products": itertools.count(71_000_001 + base),
            "orders": itertools.count(61_700_001 + base), "items": itertools.count(90_001 + base),
            "comments": itertools.count(30_001 + base),
        }  # fmt: skip
        self._numbers = itertools.count(1)

    # -- making records ---------------------------------------------------------------------------------------

    def add_contact(self, first_name: str = "", **fields: Any) -> int:
        """A new person. `phones` may be texts or whole phone objects."""
        with self.lock:
            id_, now = next(self._ids["contacts"]), self.clock.stamp()
            contact = new_contact(id_, now, first_name=first_name, **fields)
            self.contacts[id_] = contact
            self.revision += 1
            return id_

    def add_organization(self, name: str = "", **fields: Any) -> int:
        """A new organization; people and organizations share their ids (roapp §3.1)."""
        with self.lock:
            id_, now = next(self._ids["contacts"]), self.clock.stamp()
            self.organizations[id_] = new_organization(id_, now, name=name, **fields)
            self.revision += 1
            return id_

    def add_product(self, title: str, **fields: Any) -> int:
        """A new product. `barcodes` may be texts or `{"code": …}`; `price` (text) is a short form of `prices`."""
        with self.lock:
            id_ = next(self._ids["products"])
            product = new_product(id_, **{"category_id": next(iter(self.categories), None), "title": title, **fields})
            self.products[id_] = product
            self.revision += 1
            return id_

    def add_order(self, branch_id: int, order_type_id: int, client_id: int, **fields: Any) -> int:
        """A new order: own number, the order type's initial status, no lines (roapp §3.2)."""
        with self.lock:
            id_, now = next(self._ids["orders"]), self.clock.stamp()
            status, number = self.order_types[order_type_id]["initial_status_id"], f"A{next(self._numbers):04d}"
            ids = {"branch_id": branch_id, "order_type_id": order_type_id, "client_id": client_id}
            self.orders[id_] = new_order(id_, number, status, now, **ids, **fields)
            self.revision += 1
            return id_

    def add_item(self, order_id: int, **fields: Any) -> int:
        """A new line at the end; the order's total follows."""
        with self.lock:
            id_ = next(self._ids["items"])
            self.items[order_id].append({"id": id_, "tax_ids": [], "comment": "", "write_offs": [], **fields})
            self.touch(order_id)
            return id_

    def add_comment(self, order_id: int, comment: str, is_private: bool = False) -> int:
        with self.lock:
            id_ = next(self._ids["comments"])
            self.comments.append(
                {
                    "id": id_,
                    "order_id": order_id,
                    "comment": comment,
                    "is_private": is_private,
                    "created_at": self.clock.stamp(),
                }
            )
            return id_

    # -- staff, by hand ---------------------------------------------------------------------------------------

    def edit_order(self, order_id: int, **fields: Any) -> None:
        with self.lock:
            self.orders[order_id].update(fields)
            self.touch(order_id)

    def set_status(self, order_id: int, status_id: int) -> None:
        if status_id not in self.statuses:
            raise KeyError(f"no status {status_id}")
        self.edit_order(order_id, status_id=status_id)

    def write_off(self, order_id: int) -> None:
        """Staff take the goods of all lines from stock: `write_offs` is no longer empty (roapp §3.2)."""
        with self.lock:
            self.written_off.setdefault(order_id, time.monotonic())
            for item in self.items[order_id]:
                item["write_offs"] = [
                    {"id": item["id"] * 10, "quantity": item["quantity"], "created_at": self.clock.stamp()}
                ]
            self.touch(order_id)

    def delete_order(self, order_id: int) -> None:
        """Gone from the list, 404 by id."""
        with self.lock:
            del self.orders[order_id]
            self.items.pop(order_id, None)
            self.comments[:] = [comment for comment in self.comments if comment["order_id"] != order_id]
            self.revision += 1

    def edit_contact(self, contact_id: int, **fields: Any) -> None:
        with self.lock:
            if "phones" in fields:
                fields["phones"] = [phone_object(phone) for phone in fields["phones"]]
            contact = self.contacts.get(contact_id) or self.organizations[contact_id]
            contact.update(fields, modified_at=self.clock.stamp())
            self.revision += 1

    def edit_product(self, product_id: int, **fields: Any) -> None:
        with self.lock:
            if "barcodes" in fields:
                fields["barcodes"] = [barcode_object(code) for code in fields["barcodes"]]
            self.products[product_id].update(fields)
            self.revision += 1

    def copy_contact(self, contact_id: int) -> int:
        """A second contact with the same phones: from now on the phone is ambiguous."""
        with self.lock:
            contact = {
                key: value
                for key, value in self.contacts[contact_id].items()
                if key not in ("id", "created_at", "modified_at")
            }
            id_ = self.add_contact(**contact)
            self.seeded["contacts"].add(id_)
            return id_

    def copy_product(self, product_id: int) -> int:
        """A second product with the same code, SKU, bar codes and title: from now on they are ambiguous."""
        with self.lock:
            id_ = self.add_product(**{key: value for key, value in self.products[product_id].items() if key != "id"})
            self.seeded["products"].add(id_)
            return id_

    def delete_contact(self, contact_id: int) -> None:
        with self.lock:
            del (self.contacts if contact_id in self.contacts else self.organizations)[contact_id]
            self.revision += 1

    def delete_product(self, product_id: int) -> None:
        with self.lock:
            del self.products[product_id]
            self.revision += 1

    def archive_location(self, location_id: int) -> None:
        with self.lock:
            self.locations[location_id]["is_archived"] = True

    def dismiss_employee(self, employee_id: int) -> None:
        with self.lock:
            self.employees[employee_id]["is_active"] = False

    def change_company(self, **fields: Any) -> None:
        """Another company behind the same key: by default only `created_at` differs."""
        with self.lock:
            self.company.update({"created_at": "2020-01-01T00:00:00Z", **fields})

    def change_key(self, api_key: str) -> None:
        with self.lock:
            self.api_key = api_key

    # -- looking ----------------------------------------------------------------------------------------------

    def touch(self, order_id: int) -> None:
        """Recompute the total, move `modified_at` (every write does, roapp §3.2)."""
        order = self.orders[order_id]
        order["total"] = (
            f"{sum((line_sum(item, self.faults) for item in self.items.get(order_id, [])), Decimal(0)):.2f}"
        )
        order["modified_at"] = self.clock.stamp()
        self.revision += 1

    def comments_of(self, order_id: int) -> list[Row]:
        with self.lock:
            return [comment for comment in self.comments if comment["order_id"] == order_id]

    def orders_by_marker(self) -> dict[str, list[Row]]:
        """Orders by their marker `"abcdef:1042"`, read at the very start of `manager_notes` or of a custom field."""
        with self.lock:
            return marked(self.orders)

    def contacts_by_phone(self) -> dict[str, list[Row]]:
        """Contacts by phone, digits with the country code."""
        with self.lock:
            found: dict[str, list[Row]] = defaultdict(list)
            for contact in self.contacts.values():
                for phone in {normal_phone(phone["phone"]) for phone in contact["phones"]} - {""}:
                    found[phone].append(contact)
            return dict(found)

    def duplicates(self) -> dict[str, dict[str, list[int]]]:
        """What must not be: {"orders": {marker: ids}, "contacts": {phone: ids}, "products": {"code:…": ids},
        "organizations": {number or phone: ids}}, each with more than one id, at least one of them made through the API.
        All are empty when all is well."""
        with self.lock:
            return duplicates(self.orders, self.contacts, self.products, self.organizations, self.seeded)

    def counts(self) -> dict[str, int]:
        with self.lock:
            return {
                "orders": len(self.orders), "marked": len(marked(self.orders)), "contacts": len(self.contacts),
                "products": len(self.products), "comments": len(self.comments),
                "items": sum(len(items) for items in self.items.values()), "oddities": len(self.oddities),
            }  # fmt: skip
