"""What each operation of RO App v2 does: one method an operation, for one account (roapp §3)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from sandbox.goods import Row
from sandbox.messages import Answer, Call, json_answer
from sandbox.roapp_account import RoAppAccount
from sandbox.roapp_checks import BodyError, Checks
from sandbox.roapp_views import Views, moment

NOT_FOUND = json.dumps({"message": "Not found"}).encode()


class Operations:
    """`answer(call, body)` finds the operation and runs it once. Raises BodyError, or ValueError for a bad query."""

    def __init__(self, account: RoAppAccount) -> None:
        self.account = account
        self.views = Views(account)
        self.checks = Checks(account)

    def answer(self, call: Call, body: Row) -> Answer:
        for pattern, method, name in _ROUTES:
            found = re.fullmatch(pattern, call.path)
            if found and method == call.method:
                if refused := self._no_organizations(call):
                    return refused
                answer: Answer = getattr(self, name)(call, body, *map(int, found.groups()))
                call.written = method != "GET" and answer.status < 300
                return answer
        return Answer(404, NOT_FOUND)

    def _no_organizations(self, call: Call) -> Answer | None:
        if not call.path.startswith("/contacts/organizations"):
            return None
        switch = self.account.faults.organizations
        if switch == "forbidden" or (switch == "read_only" and call.method != "GET"):
            return json_answer({"message": "Forbidden"}, 403)
        return Answer(404, NOT_FOUND) if switch == "missing" else None

    # -- directories ------------------------------------------------------------------------------------------

    def _company(self, call: Call, _: Row) -> Answer:
        return self.views.answer_one(self.account.company)

    def _directory(self, call: Call, _: Row) -> Answer:
        path, query = call.path, call.query
        name = {
            "/company/locations": "locations", "/company/employees": "employees", "/orders/statuses": "statuses",
            "/orders/types": "order_types", "/orders/custom-fields": "custom_fields",
        }.get(path)  # fmt: skip
        if name is None or (name == "custom_fields" and not self.account.faults.custom_fields):
            return Answer(404, NOT_FOUND) if name else json_answer([])
        rows = list(getattr(self.account, name).values())
        archived = dict(query).get("is_archived")
        if name == "locations" and archived is not None:
            rows = [row for row in rows if row["is_archived"] == (archived.lower() in ("true", "1"))]
        return self.views.answer_list(name, rows, query, _public, paged=False)

    # -- lists and single records -----------------------------------------------------------------------------

    def _list(self, call: Call, _: Row) -> Answer:
        views, query = self.views, call.query
        kind, show = {
            "/orders": ("orders", views.listed_order), "/contacts/people": ("contacts", _public),
            "/catalog/products": ("products", views.product),
            "/contacts/organizations": ("organizations", _public), "/catalog/services": ("services", _public),
            "/catalog/products/categories": ("categories", _public),
        }[call.path]  # fmt: skip
        for name, value in query:
            if name.removesuffix("[]") in ("created_at", "modified_at", "scheduled_for", "due_date"):
                moment(value)
                if not value.endswith("Z"):
                    self._odd(call, "date without Z")
        return views.answer_list(kind, views.rows(kind, query), query, show, paged=True)

    def _one(self, call: Call, _: Row, id_: int) -> Answer:
        views, kind = self.views, call.path.rpartition("/")[0]
        faults = self.account.faults
        records, show, there = {
            "/orders": (self.account.orders, views.one_order, True),
            "/contacts/people": (self.account.contacts, _public, faults.contact_get),
            "/catalog/products": (self.account.products, views.product, faults.product_get),
            "/contacts/organizations": (self.account.organizations, _public, faults.contact_get),
            "/catalog/services": (self.account.services, _public, True),
        }[kind]  # fmt: skip
        return views.answer_one(show(records[id_])) if there and id_ in records else Answer(404, NOT_FOUND)

    # -- contacts and products --------------------------------------------------------------------------------

    def _add_contact(self, call: Call, body: Row) -> Answer:
        fields = self.checks.person(body, None, _where(call))
        return self._created(self.account.add_contact(**fields))

    def _change_contact(self, call: Call, body: Row, id_: int) -> Answer:
        if id_ not in self.account.contacts:
            return Answer(404, NOT_FOUND)
        fields = self.checks.person(body, self.account.contacts[id_], _where(call))
        self.account.edit_contact(id_, **fields)
        return self.views.answer_one({"id": id_})

    def _add_organization(self, call: Call, body: Row) -> Answer:
        fields = self.checks.organization(body, None, _where(call))
        return self._created(self.account.add_organization(**fields))

    def _change_organization(self, call: Call, body: Row, id_: int) -> Answer:
        if id_ not in self.account.organizations:
            return Answer(404, NOT_FOUND)
        fields = self.checks.organization(body, self.account.organizations[id_], _where(call))
        self.account.edit_contact(id_, **fields)
        return self.views.answer_one({"id": id_})

    def _add_product(self, call: Call, body: Row) -> Answer:
        if not self.account.faults.product_create:
            return Answer(404, NOT_FOUND)
        fields = self.checks.product(body, _where(call))
        kept = {name: value for name, value in fields.items() if name not in self.account.faults.product_unstored}
        return self._created(self.account.add_product(**kept))

    # -- orders -----------------------------------------------------------------------------------------------

    def _add_order(self, call: Call, body: Row) -> Answer:
        fields = self.checks.order(body, None, _where(call))
        return self._created(self.account.add_order(**fields), order=True)

    def _change_order(self, call: Call, body: Row, id_: int) -> Answer:
        if id_ not in self.account.orders:
            return Answer(404, NOT_FOUND)
        fields = self.checks.order(body, self.account.orders[id_], _where(call))
        self.account.edit_order(id_, **fields)
        return self.views.answer_one({"id": id_})

    def _status(self, call: Call, body: Row, id_: int) -> Answer:
        if id_ not in self.account.orders:
            return Answer(404, NOT_FOUND)
        self.account.set_status(id_, self.checks.status(body, self.account.orders[id_]))
        if body.get("comment"):
            self.account.add_comment(id_, body["comment"])
        return self.views.answer_one({"id": id_})

    def _items(self, call: Call, _: Row, id_: int) -> Answer:
        if id_ not in self.account.orders and "items" not in self.account.faults.endless:
            return Answer(404, NOT_FOUND)
        views = self.views
        return views.answer_list("items", self.account.items.get(id_, []), call.query, views.item, paged=False)

    def _add_item(self, call: Call, body: Row, id_: int) -> Answer:
        if id_ not in self.account.orders:
            return Answer(404, NOT_FOUND)
        checks = self.checks
        fields = checks.item(body, None, _where(call))
        checks.unlocked(self.account.orders[id_])
        self._odd_after_write_off(call, id_, self.account.items.get(id_, []), "line added after write-off")
        return self._created(self.account.add_item(id_, **fields))

    def _change_item(self, call: Call, body: Row, id_: int, item_id: int) -> Answer:
        item = next((item for item in self.account.items.get(id_, []) if item["id"] == item_id), None)
        if id_ not in self.account.orders or item is None:
            return Answer(404, NOT_FOUND)
        checks = self.checks
        fields = checks.item(body, item, _where(call))
        self._odd_after_write_off(call, id_, [item], "line changed after write-off")
        checks.unlocked(self.account.orders[id_])
        item.update(fields)
        self.account.touch(id_)
        return self.views.answer_one({"id": item_id})

    def _add_comment(self, call: Call, body: Row, id_: int) -> Answer:
        if id_ not in self.account.orders or not self.account.faults.comments:
            return Answer(404, NOT_FOUND)
        if not isinstance(body.get("comment"), str) or not body["comment"].strip():
            raise BodyError({"comment": ["is required"]})
        return self._created(self.account.add_comment(id_, body["comment"], bool(body.get("is_private"))))

    def _created(self, id_: int, order: bool = False) -> Answer:
        faults = self.account.faults
        forms: dict[str, Any] = {
            "bare": id_, "id": {"id": id_}, "order_id": {"order_id" if order else "id": id_},
            "data.id": {"data": {"id": id_}}, "data": {"data": id_},
        }  # fmt: skip
        return json_answer(forms[faults.created_form], faults.created_status)

    def _odd_after_write_off(self, call: Call, order: int, lines: Iterable[Row], what: str) -> None:
        """Of a call that arrived before the write-off and took effect late, nobody is to blame."""
        if any(line["write_offs"] for line in lines) and call.arrived > self.account.written_off[order]:
            self._odd(call, what)

    def _odd(self, call: Call, what: str) -> None:
        self.account.oddities.append({"method": call.method, "path": call.path, "what": what})


_ROUTES: tuple[tuple[str, str, str], ...] = (
    (r"/company", "GET", "_company"),
    (r"/company/(?:locations|employees|taxes)", "GET", "_directory"),
    (r"/orders/(?:statuses|types|custom-fields)", "GET", "_directory"),
    (r"/orders|/contacts/people|/contacts/organizations", "GET", "_list"),
    (r"/catalog/(?:products|services|products/categories)", "GET", "_list"),
    (r"/(?:orders|contacts/people|contacts/organizations|catalog/products|catalog/services)/(\d+)", "GET", "_one"),
    (r"/contacts/people", "POST", "_add_contact"),
    (r"/contacts/people/(\d+)", "PATCH", "_change_contact"),
    (r"/contacts/organizations", "POST", "_add_organization"),
    (r"/contacts/organizations/(\d+)", "PATCH", "_change_organization"),
    (r"/catalog/products", "POST", "_add_product"),
    (r"/orders", "POST", "_add_order"),
    (r"/orders/(\d+)", "PATCH", "_change_order"),
    (r"/orders/(\d+)/status", "POST", "_status"),
    (r"/orders/(\d+)/items", "GET", "_items"),
    (r"/orders/(\d+)/items", "POST", "_add_item"),
    (r"/orders/(\d+)/items/(\d+)", "PATCH", "_change_item"),
    (r"/orders/(\d+)/comments", "POST", "_add_comment"),
)


def _where(call: Call) -> tuple[str, str]:
    return call.method, call.path


def _public(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "initial_status_id"}
