"""`orders/get`: filters, order of rows, pages, and rows that move while they are read (cartum §2.1, §2.2)."""

from __future__ import annotations

import itertools
import random
from datetime import datetime
from typing import Any

from sandbox.cartum_shop import CartumShop
from sandbox.goods import Row
from sandbox.messages import Answer, dumps

DATES = ("%Y-%m-%d", "%d.%m.%Y")
EMPTY_FORMS = ("list", "object", "absent", "orders")


class ParameterError(Exception):
    """The function answers ERROR with this message."""


class OrderPages:
    """Creation dates only, in the shop's zone; a date without a time ends at 23:59:59 (cartum §8, rows 5 and 6)."""

    def __init__(self, shop: CartumShop) -> None:
        self.shop = shop
        self._empty = itertools.cycle(EMPTY_FORMS[:3])
        self._known: dict[Any, list[str]] = {}
        self._revision = -1
        self._invented = itertools.count(5_000_000)

    def answer(self, parameters: Row) -> Answer:
        faults = self.shop.faults
        if faults.one_answer:
            return Answer(200, b'{"status":"OK","response":{"orders":[' + b"{}," * (faults.one_answer - 1) + b"{}]}}")
        if "orders/get" in faults.endless:
            return self._endless(parameters)
        chosen = self._chosen(parameters)
        if faults.row_order == "unstable":
            chosen = _jittered(chosen)
        limit, offset = numbers(parameters, "limit"), numbers(parameters, "offset")
        size, start = faults.page_cap, 0
        if limit is not None:
            size = min(limit[0], size)
            start = 0 if offset is None or faults.offset_ignored else offset[0]
        if faults.paging_unsupported:
            size, start = len(chosen), 0
        page = chosen[start : start + size]
        result = self._orders(page) if page else self._nothing()
        self._move(chosen)
        return result

    def bounds(self, parameters: Row) -> tuple[str, str]:
        """`from` and `to` as comparable stamps; ParameterError where they are no dates."""
        return (
            self._stamp(parameters.get("from"), "00:00:00") or "0000",
            self._stamp(parameters.get("to"), "23:59:59") or "9999",
        )

    def _chosen(self, parameters: Row) -> list[str]:
        low, high = self.bounds(parameters)
        statuses, ids = numbers(parameters, "status"), numbers(parameters, "ids")
        if self._revision != self.shop.revision:
            self._known.clear()
            self._revision = self.shop.revision
        newest = self.shop.faults.row_order != "oldest"
        key = (low, high, tuple(statuses or ()), tuple(ids or ()), statuses is None, ids is None, newest)
        if key not in self._known:
            orders = self.shop.orders
            candidates = orders if ids is None else [str(id_) for id_ in dict.fromkeys(ids) if str(id_) in orders]

            def wanted(row: Row) -> bool:
                return low <= row["stat_created"] <= high and (statuses is None or row["stat_status"] in statuses)

            found = [number for number in candidates if wanted(orders[number])]
            found.sort(key=lambda number: (orders[number]["stat_created"], int(number)), reverse=newest)
            self._known[key] = found
        return self._known[key]

    def _stamp(self, value: Any, time: str) -> str | None:
        if value in (None, ""):
            return None
        if not isinstance(value, str):
            raise ParameterError("Date is defined incorrectly")
        day, _, clock = value.strip().partition(" ")
        if clock and self.shop.faults.datetimes == "refused":
            raise ParameterError("Date format is incorrect")
        if self.shop.faults.datetimes == "time_ignored":
            clock = ""
        for form in DATES:
            try:
                parsed = datetime.strptime(f"{day} {clock or time}", f"{form} %H:%M:%S")
            except ValueError:
                continue
            return parsed.strftime("%Y-%m-%d %H:%M:%S")
        raise ParameterError("Date format is incorrect")

    def _endless(self, parameters: Row) -> Answer:
        """As many orders as are asked for, with numbers of their own, placed when the time that is asked for begins."""
        like = next(iter(self.shop.orders.values()))
        low, _ = self.bounds(parameters)
        created = low if low != "0000" else like["stat_created"]
        size, most = (numbers(parameters, "limit") or [100])[0], self.shop.faults.endless_pages
        if most is not None and (numbers(parameters, "offset") or [0])[0] >= most * size:
            return self._nothing()
        rows = [{**like, "order_id": next(self._invented), "stat_created": created} for _ in range(size)]
        return Answer(200, dumps({"status": "OK", "response": {"orders": rows}}))

    def _orders(self, page: list[str]) -> Answer:
        rows = b",".join(self.shop.row_json(number) for number in page)
        return Answer(200, b'{"status":"OK","response":{"orders":[' + rows + b"]}}")

    def _nothing(self) -> Answer:
        form = self.shop.faults.empty_form
        form = next(self._empty) if form == "rotate" else form
        bodies: dict[str, Row] = {
            "list": {"response": []},
            "object": {"response": {}},
            "orders": {"response": {"orders": []}},
        }
        return Answer(200, dumps({"status": "EMPTY", **bodies.get(form, {})}))

    def _move(self, chosen: list[str]) -> None:
        faults = self.shop.faults
        if faults.insert_after_page > 0:
            faults.insert_after_page -= 1
            self.shop.place_order()
        if faults.delete_after_page > 0 and chosen:
            faults.delete_after_page -= 1
            self.shop.delete_order(max(chosen, key=int))


def numbers(parameters: Row, name: str) -> list[int] | None:
    """A whole number, or a list of them, given as JSON or as text; None where it is absent or an
    empty list. ParameterError for all else."""
    value = parameters.get(name)
    if value is None or value in ("", []):
        return None
    items = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else [value]
    if any(isinstance(item, bool) or not str(item).isdigit() for item in items):
        raise ParameterError(f"{name} is defined incorrectly")
    return [int(item) for item in items]


def _jittered(rows: list[str]) -> list[str]:
    """The same rows with neighbours out of order, differently at every call."""
    shift = random.randrange(6)
    blocks = [rows[:shift]] + [rows[index : index + 6] for index in range(shift, len(rows), 6)]
    return [row for block in blocks for row in random.sample(block, len(block))]
