"""Rows that can't be taken over as they are. Each is held with its reason and a fix in words; the others go on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from cartum_roapp.errors import Code
from cartum_roapp.orders.texts import storable

_SHOWN = 3
_CODES = {
    "order_id": Code.ORDER_NUMBER,
    "stat_created": Code.ORDER_CREATED,
    "stat_status": Code.ORDER_STATUS,
    "total_sum": Code.ORDER_TOTAL,
    "total_default": Code.ORDER_TOTAL,
    "products": Code.ORDER_LINES,
}
_LINE_CODES = {"price": Code.LINE_PRICE, "quantity": Code.LINE_QUANTITY}


class Defect(NamedTuple):
    """What is wrong with a row: the path to the field, and a text that completes "<field> …". Neither holds a value of
    the row."""

    path: tuple[str | int, ...]
    text: str

    @property
    def code(self) -> Code:
        if not self.path:
            return Code.ROW_SHAPE
        if len(self.path) == 1:
            return _CODES.get(str(self.path[0]), Code.ROW_SHAPE)
        return _LINE_CODES.get(str(self.path[-1]), Code.LINE_PRODUCT)

    def __str__(self) -> str:
        """Lines of the order are counted from 1, as a person counts them."""
        match self.path:
            case ():
                return f"The row {self.text}"
            case ("products", int(n)):
                return f"Line {n + 1} {self.text}"
            case ("products", int(n), *field):
                return f"The {'.'.join(map(str, field))} of line {n + 1} {self.text}"
        return f"{'.'.join(map(str, self.path))} {self.text}"


@dataclass(frozen=True)
class BadRow:
    """`number` is None if the order's number can't be read; then `id` is a digest of the row, so that the same row is
    held once. `payload` (fit for jsonb) holds personal data, `message` and `fix` do not."""

    number: str | None
    code: Code
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
    return BadRow(number, code, f"{message}.", code.remedy, payload if isinstance(payload, dict) else {"row": payload})
