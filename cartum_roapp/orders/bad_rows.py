"""Rows that can't be taken over as they are. Each is held with its reason and a fix in words; the others go on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from cartum_roapp.orders.texts import storable

_SHOWN = 3
_AGAIN = "the next read of the order takes it over"
_FIXES = {
    "row-shape": "Check that the URL is the shop's own and that nothing between rewrites its answers.",
    "order-number": f"Give the order a number above 0 in the shop's admin; {_AGAIN}.",
    "order-created": f"Correct the order's creation date in the shop's admin; {_AGAIN}.",
    "order-status": f"Choose a status for the order in the shop's admin; {_AGAIN}.",
    "order-total": f"Open the order in the shop's admin and save it, so that its totals are computed anew; {_AGAIN}.",
    "order-lines": f"Open the order in the shop's admin and check that its products are all there; {_AGAIN}.",
    "line-product": f"Give that line an article or a title in the shop's admin; {_AGAIN}.",
    "line-price": f"Give that line a price of 0 or more in the shop's admin; {_AGAIN}.",
    "line-quantity": f"Give that line a quantity above 0 in the shop's admin, or remove it; {_AGAIN}.",
}
_CODES = {
    "order_id": "order-number",
    "stat_created": "order-created",
    "stat_status": "order-status",
    "total_sum": "order-total",
    "total_default": "order-total",
    "products": "order-lines",
}
_LINE_CODES = {"price": "line-price", "quantity": "line-quantity"}


class Defect(NamedTuple):
    """What is wrong with a row: the path to the field, and a text that completes "<field> …". Neither holds a value of
    the row."""

    path: tuple[str | int, ...]
    text: str

    @property
    def code(self) -> str:
        if not self.path:
            return "row-shape"
        if len(self.path) == 1:
            return _CODES.get(str(self.path[0]), "row-shape")
        return _LINE_CODES.get(str(self.path[-1]), "line-product")

    def __str__(self) -> str:
        field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path).lstrip(".")
        return f"{field or 'The row'} {self.text}"


@dataclass(frozen=True)
class BadRow:
    """`number` is None if the order's number can't be read; then `id` is a digest of the row, so that the same row is
    held once. `payload` (fit for jsonb) holds personal data, `message` and `fix` do not."""

    number: str | None
    code: str
    message: str
    fix: str
    payload: dict[str, Any]

    @property
    def id(self) -> str:
        if self.number is not None:
            return self.number
        content = json.dumps(self.payload, sort_keys=True, separators=(",", ":"))
        return f"row-{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def bad_row(number: str | None, defects: Sequence[Defect], raw: object) -> BadRow:
    """Returns the row with the code and fix of the first defect; the message names up to three defects."""
    message = "; ".join(str(defect) for defect in defects[:_SHOWN])
    if len(defects) > _SHOWN:
        message += f"; and {len(defects) - _SHOWN} more"
    code = defects[0].code
    payload = storable(raw)
    return BadRow(number, code, f"{message}.", _FIXES[code], payload if isinstance(payload, dict) else {"row": payload})
