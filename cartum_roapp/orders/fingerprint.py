"""The hash by which an order that did not change is recognised (promise: an idle run writes nothing)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

VERSION = 1  # another number makes every order of every shop a changed one


def order_hash(content: Sequence[object], lines: Iterable[tuple[str, Decimal, Decimal]]) -> str:
    """SHA-256 (hex) of an order's own values and its lines' (product, price, quantity), whatever their order.

    Values are text, int, bool, None, aware datetimes and Decimals of canonical form (`amounts`), so 600, "600" and
    "600.00" are one. Not in it, because they change without the order: titles of lines with an article, the
    catalogue, the parcel's tracking.
    """
    texts = sorted((product, str(price), str(quantity)) for product, price, quantity in lines)
    return hashlib.sha256(_JSON.encode([VERSION, content, texts]).encode()).hexdigest()


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    raise TypeError(f"{type(value).__name__} has no canonical form")


_JSON = json.JSONEncoder(separators=(",", ":"), default=_text)
