"""How an account's records look in answers, and how lists are filtered, sorted and paged (roapp §2, §3)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sandbox.goods import Row
from sandbox.messages import Answer, json_answer
from sandbox.people import normal_phone
from sandbox.roapp_account import RoAppAccount

MONEY = re.compile(r"-?\d+\.\d\d")


class Views:
    """Rows as the API shows them, for one account."""

    def __init__(self, account: RoAppAccount) -> None:
        self.account = account
        self._known: dict[Any, list[Row]] = {}
        self._revision = -1

    def order(self, order: Row) -> Row:
        """`status`, `order_type` and `client` are nested; `branch_id` and `manager_id` are flat (roapp §3.2)."""
        account = self.account
        hidden = {"status_id", "order_type_id", "client_id"} | (set() if account.faults.order_totals else {"total"})
        hidden |= set() if account.faults.managers_shown else {"manager_id"}
        status = account.statuses[order["status_id"]]
        type_ = account.order_types[order["order_type_id"]]
        return {
            **{name: value for name, value in order.items() if name not in hidden},
            "status": {"id": status["id"], "name": status["name"], "color": status["color"]},
            "order_type": {"id": type_["id"], "name": type_["title"]},
            "client": self.client(order["client_id"]),
            "payer": None, "asset": None, "ad_campaign": None, "resource": None,
        }  # fmt: skip

    def one_order(self, order: Row) -> Row:
        """The same by itself."""
        row = self.order(order)
        if not self.account.faults.order_notes:
            del row["manager_notes"]
        return row

    def listed_order(self, order: Row) -> Row:
        """The same in a list."""
        faults = self.account.faults
        left_out = {*faults.list_lacks, *(() if faults.list_notes else ("manager_notes",))}
        return {name: value for name, value in self.order(order).items() if name not in left_out}

    def client(self, client_id: int) -> Row | None:
        account = self.account
        contact = account.contacts.get(client_id) or account.organizations.get(client_id)
        if contact is None:
            return None
        name = contact.get("name") or f"{contact.get('first_name', '')} {contact.get('last_name', '')}".strip()
        return {
            "id": client_id, "is_organization": client_id in account.organizations, "name": name,
            "first_name": contact.get("first_name", ""), "last_name": contact.get("last_name", ""),
            "email": contact["email"],
            "phone": [phone["phone"] for phone in contact["phones"]], "address": contact["address"],
            "custom_fields": {},
        }  # fmt: skip

    def item(self, item: Row) -> Row:
        account = self.account
        entity = account.products.get(item["entity_id"])
        kind = "product" if entity else "labor"
        entity = entity or account.services.get(item["entity_id"]) or {"id": item["entity_id"], "title": ""}
        shown = {name: entity.get(name) for name in ("id", "code", "sku", "title")}
        hidden = {"entity_id", "assignee_id"} | (set() if account.faults.discounts_shown else {"discount"})
        return {
            **{name: value for name, value in item.items() if name not in hidden},
            "quantity": f"{item['quantity']}", "price": money(item["price"]), "cost": money(item["cost"]),
            "entity": {"type": kind, **shown},
        }  # fmt: skip

    def product(self, product: Row) -> Row:
        prices = [{**price, "price": money(price["price"])} for price in product["prices"]]
        if self.account.faults.product_prices == "object":
            by_type = {str(price["id"]): price["price"] for price in prices}
            return {**product, "cost": money(product["cost"]), "prices": by_type}
        return {**product, "cost": money(product["cost"]), "prices": prices}

    def rows(self, kind: str, query: list[tuple[str, str]]) -> list[Row]:
        """The records of one list (`orders`, `contacts`, `products`, …), filtered and sorted; kept until a change."""
        if self._revision != self.account.revision:
            self._known.clear()
            self._revision = self.account.revision
        faults = self.account.faults
        wanted = tuple(sorted(pair for pair in query if pair[0] not in ("page", "pageSize")))
        key = (
            kind,
            wanted,
            faults.filter_form,
            faults.filter_values,
            faults.phone_match,
            faults.emails_filter,
            faults.sort_ignored,
            faults.rows_reversed,
        )
        if key not in self._known:
            records: dict[int, Row] = getattr(self.account, kind)
            keep = self._filters(kind, query)
            rows = [row for row in records.values() if all(test(row) for test in keep)]
            self._known[key] = self._sorted(rows, query)
        return self._known[key]

    def _sorted(self, rows: list[Row], query: list[tuple[str, str]]) -> list[Row]:
        faults = self.account.faults
        rows = sorted(rows, key=lambda row: int(row["id"]), reverse=True)
        sort = dict(query).get("sort", "")
        name = sort.lstrip("-")
        if name in ("id", "created_at", "modified_at") and not faults.sort_ignored:
            rows.sort(key=lambda row: (row.get(name) or "", row["id"]), reverse=sort.startswith("-"))
        if faults.rows_reversed:
            rows.reverse()
        return rows

    def _filters(self, kind: str, query: list[tuple[str, str]]) -> list[Callable[[Row], bool]]:
        values: dict[str, list[str]] = {}
        form = self.account.faults.filter_form
        for name, value in query:
            bracketed = name.endswith("[]")
            if form == "both" or (form == "brackets" and bracketed) or (form == "bare" and not bracketed):
                values.setdefault(name.removesuffix("[]"), []).append(value)
        counted = {"all": slice(None), "last": slice(-1, None), "first": slice(1)}[self.account.faults.filter_values]
        values = {name: several[counted] for name, several in values.items()}
        tests: list[Callable[[Row], bool]] = []
        if kind in ("orders", "contacts", "organizations"):
            tests += [_between(name, values[name]) for name in ("created_at", "modified_at") if name in values]
        if kind == "orders":
            tests += self._order_filters(values)
        if kind in ("contacts", "organizations"):
            tests += self._contact_filters(values)
        return tests

    def _order_filters(self, values: dict[str, list[str]]) -> list[Callable[[Row], bool]]:
        fields = {
            "ids": "id", "numbers": "number", "types": "order_type_id", "branches": "branch_id",
            "statuses": "status_id",
            "managers": "manager_id", "clients_ids": "client_id",
        }  # fmt: skip
        tests = [_one_of(field, values[name]) for name, field in fields.items() if name in values]
        if "client_phones" in values:
            same = self._phones(values["client_phones"])
            clients = {**self.account.contacts, **self.account.organizations}
            tests.append(lambda order: order["client_id"] in clients and same(clients[order["client_id"]]))
        if "client_names" in values:
            named = _named(values["client_names"])
            tests.append(lambda order: named(self.client(order["client_id"]) or {}))
        return tests

    def _contact_filters(self, values: dict[str, list[str]]) -> list[Callable[[Row], bool]]:
        tests = [_one_of("manager_id", values["managers"])] if "managers" in values else []
        if "names" in values:
            tests.append(_named(values["names"]))
        if "phones" in values:
            tests.append(self._phones(values["phones"]))
        if "emails" in values and self.account.faults.emails_filter:
            emails = {email.lower() for email in values["emails"]}
            tests.append(lambda contact: (contact["email"] or "").lower() in emails)
        return tests

    def _phones(self, wanted: list[str]) -> Callable[[Row], bool]:
        """`digits`: only the digits of the stored text are compared; `part`: they contain it; `exact`: the text;
        `normal`: the number meant."""
        matches: dict[str, Callable[[str], str]] = {"exact": str, "normal": normal_phone}
        shape: Callable[[str], str] = matches.get(self.account.faults.phone_match, _digits)
        values = {shape(phone) for phone in wanted} - {""}
        if self.account.faults.phone_match == "part":
            return lambda contact: any(one in _digits(phone["phone"]) for phone in contact["phones"] for one in values)
        return lambda contact: any(shape(phone["phone"]) in values for phone in contact["phones"])

    def answer_list(
        self, kind: str, rows: list[Row], query: list[tuple[str, str]], show: Callable[[Row], Row], *, paged: bool
    ) -> Answer:
        """One page in an envelope, or a bare array where that is documented (or switched on)."""
        faults = self.account.faults
        if kind in faults.endless:
            return self._endless(show(rows[0]) if rows else {}, query)
        page, size, count = 1, faults.page_size, len(rows)
        given = dict(query)
        if faults.page_size_parameter and given.get("pageSize", "").isdigit():
            size = min(100, max(10, int(given["pageSize"])))
        if given.get("page", "1").isdigit():
            page = max(1, int(given.get("page", "1")))
        if paged:
            rows = rows[(page - 1) * size : page * size]
        data = [self.shaped(show(row)) for row in rows]
        if faults.list_form == "bare" or (faults.list_form == "documented" and not paged):
            return json_answer(data)
        pages = max(1, -(-count // size)) if paged else 1
        return json_answer(
            {"data": data, "paging": {"page": page, "limit": size, "total_pages": pages, "count": count}}
        )

    def _endless(self, like: Row, query: list[tuple[str, str]]) -> Answer:
        page, size = int(dict(query).get("page", "1")), self.account.faults.page_size
        data = [{**like, "id": 5_000_000 + page * size + place} for place in range(size)]
        return json_answer({"data": data, "paging": {"page": page, "limit": size, "total_pages": page + 1}})

    def answer_one(self, row: Row) -> Answer:
        row = self.shaped(row)
        return json_answer({"data": row} if self.account.faults.object_form == "data" else row)

    def shaped(self, value: Any) -> Any:
        """Money with a comma, where that is switched on."""
        if not self.account.faults.money_comma:
            return value
        if isinstance(value, dict):
            return {name: self.shaped(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.shaped(item) for item in value]
        return value.replace(".", ",") if isinstance(value, str) and MONEY.fullmatch(value) else value


def money(value: Any) -> str:
    return f"{float(value or 0):.2f}"


def moment(text: str) -> datetime:
    """An ISO 8601 moment; ValueError for anything else. One without a zone is read as UTC."""
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _between(name: str, values: list[str]) -> Callable[[Row], bool]:
    low = moment(values[0]).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    high = moment(values[1]).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if len(values) > 1 else "9999"
    return lambda row: low <= row[name] <= high


def _one_of(field: str, values: list[str]) -> Callable[[Row], bool]:
    wanted = set(values)
    return lambda row: str(row.get(field)) in wanted


def _named(values: list[str]) -> Callable[[Row], bool]:
    wanted = [value.casefold() for value in values]

    def test(row: Row) -> bool:
        name = row.get("name") or f"{row.get('first_name', '')} {row.get('last_name', '')}"
        return any(value in name.casefold() for value in wanted)

    return test
