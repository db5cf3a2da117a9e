"""The HTTP API of RO App v2: `http://host/v2/…`, several accounts behind one port, distinguished by their keys."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from sandbox.budget import beyond
from sandbox.control import control_answer
from sandbox.faults import Faults, Planned
from sandbox.goods import Row
from sandbox.messages import Answer, Call, Request, json_answer, page_answer
from sandbox.roapp_account import RoAppAccount
from sandbox.roapp_checks import BodyError
from sandbox.roapp_operations import NOT_FOUND, Operations
from sandbox.wire import Exchange, WebApp

ACCOUNT_METHODS = (
    "add_contact", "add_organization", "add_product", "add_order", "edit_order", "set_status", "write_off",
    "delete_order", "edit_contact", "edit_product", "copy_contact", "copy_product", "delete_contact",
    "delete_product", "archive_location", "dismiss_employee", "change_company", "change_key",
)  # fmt: skip
ACCOUNT_STATE = (
    "company", "locations", "order_types", "employees", "statuses", "custom_fields", "contacts", "organizations",
    "products",
    "services", "orders", "items", "comments", "oddities",
)  # fmt: skip


class RoAppHttp(WebApp):
    """Paths are logged and matched without the `/v2` in front."""

    def __init__(self, accounts: list[RoAppAccount], lock: threading.RLock) -> None:
        super().__init__(lock)
        self.accounts = accounts
        self._operations = [Operations(account) for account in accounts]
        self._arrivals: list[list[float]] = [[] for _ in accounts]

    def path_of(self, request: Request) -> str:
        return request.path.removeprefix("/v2") if request.path.startswith("/v2/") else request.path

    def account_of(self, request: Request) -> tuple[int, Faults]:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        for account in self.accounts:
            if scheme == "Bearer" and key == account.api_key:
                return account.index, account.faults
        return -1, Faults()

    def refuse(self, exchange: Exchange) -> Answer | None:
        call = exchange.call
        if call.account < 0:
            return json_answer({"message": "Unauthorized"}, 401)
        faults = self.accounts[call.account].faults
        if faults.rate_limit:
            arrivals = self._arrivals[call.account]
            arrivals[:] = [at for at in arrivals if call.arrived - at < faults.rate_window]
            full = len(arrivals) >= faults.rate_limit
            if not full or faults.rate_counts_refused:
                arrivals.append(call.arrived)
            if full:
                return self._limited(faults.retry_after)
        if faults.refuse is not None:
            return json_answer({"message": "Unauthorized" if faults.refuse == 401 else "Forbidden"}, faults.refuse)
        return None

    def disturbed(self, exchange: Exchange, fault: Planned) -> Answer:
        if fault.kind == "rate":
            return self._limited(self.accounts[exchange.call.account].faults.retry_after)
        return json_answer({"message": "Unauthorized"}, 401)

    def apply(self, exchange: Exchange) -> Answer:
        call, account = exchange.call, self.accounts[exchange.call.account]
        faults = account.faults
        if not exchange.request.path.startswith("/v2/"):
            return Answer(404, NOT_FOUND)
        try:
            return self._operations[account.index].answer(call, _body(exchange.request))
        except BodyError as invalid:
            errors = self._echoed(call, invalid.errors) if faults.echo else invalid.errors
            return error_answer(errors, faults.error_shape, faults.error_code)
        except ValueError as error:
            return error_answer({"query": [str(error)]}, faults.error_shape, faults.error_code)

    def control(self, request: Request) -> Answer:
        index = int(dict(request.query).get("account", "0"))
        account = self.accounts[index]
        state: dict[str, Callable[[], Any]] = {name: partial(getattr, account, name) for name in ACCOUNT_STATE}
        state |= {
            "": lambda: {"base_url": account.base_url, "accounts": len(self.accounts), "counts": account.counts()},
            "counts": lambda: {**account.counts(), "calls": self._tally(index), "duplicates": account.duplicates()},
            "calls": lambda: [call for call in self.calls if call.account == index],
            "duplicates": account.duplicates,
            "markers": lambda: {
                name: [order["id"] for order in found] for name, found in account.orders_by_marker().items()
            },
        }
        actions = {name: getattr(account, name) for name in ACCOUNT_METHODS}
        with self.lock:
            return control_answer(request, state, {**actions, "shift_clock": account.clock.shift}, account.faults)

    def _echoed(self, call: Call, errors: dict[str, list[str]]) -> dict[str, list[str]]:
        account, body = self.accounts[call.account], call.body if isinstance(call.body, dict) else {}
        number = re.match(r"/orders/(\d+)", call.path)
        order = account.orders.get(int(number[1]), {}) if number else body
        id_ = order.get("client_id") or 0
        client = account.contacts.get(id_) or account.organizations.get(id_, {})
        whose = [client.get("first_name"), client.get("last_name"), client.get("name"), client.get("email"),
                 *(phone["phone"] for phone in client.get("phones", []))]  # fmt: skip
        said = f"({' '.join(filter(None, whose))} {json.dumps(body, ensure_ascii=False)})"
        return {field: [f"{said} {text}" for text in texts] for field, texts in errors.items()}

    def _tally(self, index: int) -> dict[str, int]:
        mine = [call for call in self.calls if call.account == index]
        faults = self.accounts[index].faults
        return {
            "all": len(mine),
            "written": sum(call.written for call in mine),
            "limited": sum(call.status == 429 for call in mine),
            "beyond": beyond(mine, faults.rate_limit, faults.rate_window) if faults.rate_limit else 0,
        }

    def _limited(self, retry_after: float | None) -> Answer:
        header = [] if retry_after is None else [(b"retry-after", f"{retry_after:g}".encode())]
        return Answer(429, b"", headers=header)


def error_answer(errors: dict[str, list[str]], shape: str, code: int) -> Answer:
    """A refused body in one of the shapes that clients have met (roapp §2)."""
    text = "; ".join(f"{field} {message}" for field, messages in errors.items() for message in messages)
    if shape == "text":
        return Answer(code, text.encode(), "text/plain; charset=utf-8")
    if shape == "html":
        return page_answer(f"<html><body>{text}</body></html>", code)
    bodies: dict[str, Row] = {
        "message": {"message": text},
        "validation": {"success": False, "code": code, "message": {"validation": errors}},
    }
    return json_answer(bodies.get(shape, {"message": "Validation error", "errors": errors}), code)


def _body(request: Request) -> Row:
    if request.method == "GET" or not request.body:
        return {}
    try:
        body = json.loads(request.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise BodyError({"body": ["must be a JSON object"]})
    return body
