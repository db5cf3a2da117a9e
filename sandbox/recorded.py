"""A shop as a recording has it: the orders, statuses and goods of `cartum-roapp record`, row for row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from sandbox.cartum_shop import CartumShop
from sandbox.goods import Row

_STAMP = "%Y-%m-%d %H:%M:%S"


def take_over(shop: CartumShop, recording: Path) -> None:
    """Replaces the shop's orders, statuses and catalogue by those that the recorded shop answered with, the last answer
    last. Creation stamps move by whole days, as if it had been recorded today. ValueError for another file."""
    exchanges = [json.loads(line) for line in recording.read_text("utf-8").splitlines()]
    if not exchanges or exchanges.pop(0).get("format") != 1:
        raise ValueError(f"{recording} is no recording of format 1")
    shop.replace(
        {str(row["order_id"]): _moved(row, days) for row, days in _rows(exchanges, "orders")},
        [row for row, _ in _rows(exchanges, "statuses")],
        list({str(row["article"]): row for row, _ in _rows(exchanges, "products")}.values()),
    )


def _rows(exchanges: list[Row], name: str) -> Iterator[tuple[Row, timedelta]]:
    """Yields each row of the shop's lists of this name, and how long ago it was recorded, in whole days."""
    for one in exchanges:
        answer = one["answer"] if one["call"] == "cartum" else None
        response = answer.get("response") if isinstance(answer, dict) else None
        rows = response.get(name) if isinstance(response, dict) else None
        recorded = parsedate_to_datetime(one["headers"]["date"])
        age = timedelta(days=(datetime.now(recorded.tzinfo).date() - recorded.date()).days)
        for row in rows.values() if isinstance(rows, dict) else rows or []:
            yield row, age


def _moved(row: dict[str, Any], by: timedelta) -> Row:
    created = datetime.strptime(row["stat_created"], _STAMP) + by
    return {**row, "stat_created": created.strftime(_STAMP)}
