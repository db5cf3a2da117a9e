"""The hash by which an unchanged order is recognised: an idle run writes nothing (design §2, P3)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

VERSION = 2  # with another number every order of every shop is compared with what is stored


def order_hash(content: Sequence[object], lines: Iterable[tuple[str, Decimal, Decimal]]) -> str:
    """Returns the SHA-256 (hex) of an order's values and of its lines' (product, price, quantity) in any order.

    Values are text, int, bool, None, aware datetimes, and Decimals in canonical form (`amounts`), so that 600, "600"
    and "600.00" are equal. Titles of lines with an article, the catalogue and the parcel's tracking are left out, as
    they change without the order.
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
