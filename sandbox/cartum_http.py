"""The HTTP API of a Cartum shop: `http://host/api/<function>/` (cartum §0–§6)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from sandbox.cartum_lists import currencies, delivery, matches, payments
from sandbox.cartum_shop import CartumShop
from sandbox.control import control_answer
from sandbox.faults import Planned
from sandbox.goods import Row
from sandbox.messages import CHALLENGE, Answer, Request, dumps, json_answer, nested_form, page_answer
from sandbox.order_pages import OrderPages, ParameterError, numbers
from sandbox.wire import Exchange, WebApp

EXPORT = "catalog/export"
NO_LOGIN = "User with such username/password not found"
SHOP_METHODS = (
    "place_order", "edit_good", "edit", "set_status", "reopen", "mark_paid", "set_waybill", "edit_buyer", "change_line",
    "add_line", "remove_line", "delete_order", "add_status", "rename_status", "change_password", "revoke_tokens",
    "qualifying",
)  # fmt: skip


class CartumHttp(WebApp):
    """Answers POST, PUT and GET alike, JSON, form and query parameters, with and without the trailing slash."""

    def __init__(self, shop: CartumShop) -> None:
        super().__init__(shop.lock)
        self.shop = shop
        self.pages = OrderPages(shop)
        self._quota: list[float] = []
        self._functions: dict[str, Callable[[Row], Answer]] = {
            "orders/get": self.pages.answer,
            "orders/get_available_statuses": self._statuses,
            "orders/update": self._update,
            EXPORT: self._catalog,
            "users/export": self._users,
            "currency/export": lambda _: _ok("currency", currencies(shop)),
            "delivery/export": lambda _: _ok("delivery", delivery(shop)),
            "payment/export": lambda _: _ok("payment", payments(shop)),
            "pages/export": self._pages,
        }

    @property
    def faults(self) -> Any:  # type: ignore[override]
        return self.shop.faults

    def path_of(self, request: Request) -> str:
        """The function's name (`orders/get`); other paths stay whole."""
        found = re.fullmatch(r"/api/(.+?)/?", request.path)
        return found[1] if found else request.path

    def refuse(self, exchange: Exchange) -> Answer | None:
        faults, request = self.shop.faults, exchange.request
        if not request.path.startswith("/api/"):
            return page_answer(f"<html><title>{self.shop.name}</title></html>", 200 if request.path == "/" else 404)
        if faults.no_api is not None:
            return page_answer("<html><title>404</title></html>", 404 if faults.no_api == "404" else 200)
        if faults.require_mozilla and not request.headers.get("user-agent", "").startswith("Mozilla/"):
            return page_answer(CHALLENGE)
        if faults.hourly_quota is not None:
            now = self.shop.clock.now().timestamp()
            self._quota = [at for at in self._quota if now - at < 3600]
            if len(self._quota) >= faults.hourly_quota:
                return self._limited(int(3600 - (now - self._quota[0])) + 1 if self._quota else 3600)
            self._quota.append(now)
        return None

    def disturbed(self, exchange: Exchange, fault: Planned) -> Answer:
        if fault.kind == "rate":
            return self._limited(int(fault.seconds))
        if fault.kind == "unauthorized":
            return self._unauthorized()
        return json_answer({"status": self.shop.faults.status_word, "response": {"orders": []}})

    def apply(self, exchange: Exchange) -> Answer:
        name, shop = exchange.call.path, self.shop
        try:
            parameters = _parameters(exchange.request)
        except ValueError:
            return _http_error(400, "Payload is not JSON")
        if name == "auth":
            return self._auth(parameters)
        if name not in self._functions or name in shop.faults.undefined_functions:
            return json_answer({"status": "UNDEFINED_FUNCTION", "response": []})
        if not shop.accepts(parameters.get("token")):
            return self._unauthorized()
        try:
            if name in shop.faults.refused_functions:
                raise ParameterError(shop.faults.refusal)
            if shop.faults.no_rights:
                raise ParameterError("Недостатньо прав для виконання операції")
            return self._functions[name](parameters)
        except ParameterError as error:
            return _error(str(error))

    def _auth(self, parameters: Row) -> Answer:
        if (parameters.get("login"), parameters.get("password")) != (self.shop.login, self.shop.password):
            return _error(NO_LOGIN)
        return json_answer({"status": "OK", "response": {"token": self.shop.new_token()}})

    def control(self, request: Request) -> Answer:
        shop = self.shop
        state: dict[str, Callable[[], Any]] = {
            "": lambda: {
                "name": shop.name,
                "url": shop.url,
                "orders": len(shop.orders),
                "qualifying": len(shop.qualifying()),
            },
            "orders": lambda: shop.orders,
            "statuses": lambda: shop.statuses,
            "counts": lambda: {
                "orders": len(shop.orders),
                "qualifying": len(shop.qualifying()),
                "calls": len(self.calls),
            },
            "calls": lambda: self.calls,
            "catalog": shop.catalog,
            "users": lambda: shop.users,
        }
        actions = {name: getattr(shop, name) for name in SHOP_METHODS}
        with self.lock:
            return control_answer(request, state, {**actions, "shift_clock": shop.clock.shift}, shop.faults)

    def _unauthorized(self) -> Answer:
        form = self.shop.faults.expired_form
        if form == "c":
            return _http_error(401, "Auth required.\n")
        if form == "error":
            return _error("Invalid token. Auth required.\n")
        return json_answer(
            {"status": "UNAUTHORIZED", "response": {"message": "Auth required.\n"}}, 401 if form == "a" else 200
        )

    def _limited(self, seconds: int) -> Answer:
        wait = seconds if self.shop.faults.quota_seconds is None else self.shop.faults.quota_seconds
        answer = _http_error(429, f"You hour requests limit has been exceeded. Retry after {wait} seconds")
        answer.status = 429 if self.shop.faults.quota_form == "http" else 200
        return answer

    def _statuses(self, _: Row) -> Answer:
        statuses = {str(id_): status for id_, status in sorted(self.shop.statuses.items())}
        return json_answer({"status": "OK", "response": {"statuses": statuses}})

    def _update(self, parameters: Row) -> Answer:
        log = []
        for change in parameters.get("orders") or []:
            number, status, paid = (
                str(change.get("order_id")),
                change.get("status"),
                change.get("payed", change.get("paid")),
            )
            if number not in self.shop.orders:
                log.append({"status": "ERROR", "messages": "order is not defined or defined incorrectly"})
            elif status is not None and (not str(status).isdigit() or int(status) not in self.shop.statuses):
                log.append({"status": "ERROR", "messages": "status is not defined or defined incorrectly"})
            else:
                fields = {
                    "stat_status": None if status is None else int(status),
                    "payed": None if paid is None else int(paid),
                }
                self.shop.edit(number, **{name: value for name, value in fields.items() if value is not None})
                if change.get("tracking_code"):
                    self.shop.set_waybill(number, str(change["tracking_code"]))
                log.append({"status": "OK", "messages": "UPDATED"})
        failed = any(entry["status"] == "ERROR" for entry in log)
        return json_answer({"status": "WARNING" if failed else "OK", "response": {"log": log}})

    def _catalog(self, parameters: Row) -> Answer:
        expr = parameters.get("expr") or {}
        if not isinstance(expr, dict):
            return json_answer({"status": "EXCEPTION", "response": {"message": "Internal error"}})
        rows = self.shop.catalog()
        if not self.shop.faults.expression_ignored:
            rows = [row for row in rows if matches(row, expr)]
        limit, offset = numbers(parameters, "limit"), numbers(parameters, "offset")
        start = (offset[0] if offset else 0) if limit else 0
        rows = rows[start : start + min(limit[0] if limit else 500, 500)]
        if EXPORT in self.shop.faults.endless:
            like = self.shop.catalog()[0]
            rows = [{**like, "article": f"E-{start}-{place}"} for place in range(limit[0] if limit else 500)]
        included, excluded = _names(parameters, "includedParams"), _names(parameters, "excludedParams") or set()
        always = {"article", "parent_article", "parent"}

        def wanted(name: str) -> bool:
            return name in always or ((included is None or name in included) and name not in excluded)

        shown = [{name: value for name, value in row.items() if wanted(name)} for row in rows]
        return _ok("products", shown, empty="OK")

    def _users(self, parameters: Row) -> Answer:
        low, high = self.pages.bounds(parameters)
        rows = [row for row in self.shop.users if low <= row["registered"] <= high]
        limit, offset = numbers(parameters, "limit"), numbers(parameters, "offset")
        start = (offset[0] if offset else 0) if limit else 0
        return _ok("users", rows[start : start + (limit[0] if limit else 500)])

    def _pages(self, parameters: Row) -> Answer:
        parent = (numbers(parameters, "parent") or [0])[0]
        titles = dict.fromkeys(self.shop.market.languages, "Каталог")
        rows = [{"id": 97, "parent": 0, "title": titles}, {"id": 1121, "parent": 97, "title": titles, "discount": 10}]
        return _ok("pages", [row for row in rows if row["parent"] == parent])


def _parameters(request: Request) -> Row:
    """All parameters of a call; ValueError for bad JSON or a byte order mark."""
    parameters = nested_form(request.query)
    kind = request.headers.get("content-type", "")
    if not request.body:
        return parameters
    if kind.startswith("application/x-www-form-urlencoded"):
        return parameters | nested_form(parse_qsl(request.body.decode(), keep_blank_values=True))
    if kind.startswith("multipart/form-data"):
        pairs = re.findall(r'name="([^"]+)"\r\n(?:[^\r\n]+\r\n)*\r\n(.*?)\r\n--', request.body.decode(), re.S)
        return parameters | nested_form(pairs)
    body = json.loads(request.body.decode())
    if not isinstance(body, dict):
        raise ValueError("not an object")
    return parameters | body


def _ok(name: str, rows: list[Row], empty: str = "EMPTY") -> Answer:
    return Answer(200, dumps({"status": "OK" if rows else empty, "response": {name: rows}}))


def _error(message: str) -> Answer:
    return json_answer({"status": "ERROR", "response": {"message": message}})


def _http_error(code: int, message: str) -> Answer:
    return json_answer({"status": "HTTP_ERROR", "response": {"code": code, "message": message}}, code)


def _names(parameters: Row, name: str) -> set[str] | None:
    value = parameters.get(name)
    if value is None:
        return None
    return {str(item) for item in (value.split(",") if isinstance(value, str) else value)}
