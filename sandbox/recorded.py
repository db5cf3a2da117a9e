"""A shop as a recording has it: the orders, statuses and goods of `cartum-roapp record`, row for row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sandbox.cartum_shop import CartumShop
from sandbox.goods import Row

_STAMP = "%Y-%m-%d %H:%M:%S"


def take_over(shop: CartumShop, recording: Path) -> None:
    """Replaces the shop's orders, statuses and catalogue by those that the recorded shop answered with, the last answer
    last. Creation stamps move, as if the newest order had been placed ten minutes ago. ValueError for another file."""
    exchanges = [json.loads(line) for line in recording.read_text("utf-8").splitlines()]
    if not exchanges or exchanges.pop(0).get("format") != 1:
        raise ValueError(f"{recording} is no recording of format 1")
    orders = {str(row["order_id"]): row for row in _rows(exchanges, "orders")}
    stamps = {number: datetime.strptime(row["stat_created"], _STAMP) for number, row in orders.items()}
    now = shop.clock.now().astimezone(shop.zone).replace(tzinfo=None)
    later = now - timedelta(minutes=10) - max(stamps.values(), default=now)
    shop.replace(
        {number: {**row, "stat_created": (stamps[number] + later).strftime(_STAMP)} for number, row in orders.items()},
        list(_rows(exchanges, "statuses")),
        list({str(row["article"]): row for row in _rows(exchanges, "products")}.values()),
    )


def _rows(exchanges: list[Row], name: str) -> Iterator[Row]:
    """Yields each row of the shop's lists of this name."""
    for one in exchanges:
        answer = one["answer"] if one["call"] == "cartum" else None
        response = answer.get("response") if isinstance(answer, dict) else None
        rows = response.get(name) if isinstance(response, dict) else None
        yield from rows.values() if isinstance(rows, dict) else rows or []
