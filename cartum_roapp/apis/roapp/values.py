"""Single values of RO App's rows, which come as text or numbers, bare or in objects: what can't be read is empty."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BeforeValidator

from cartum_roapp.apis.roapp.product_prices import PriceType, first_price

LARGEST_ID = 2**63 - 1
LARGEST_AMOUNT = Decimal(10) ** 12
# No account has longer numbers, and they would be slow to compute with.
_LONGEST_NUMBER = 40
# Characters that PostgreSQL or UTF-8 can't hold.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def whole(value: Any) -> int | None:
    """Reads a whole number from 0 on, given as a number or as text. Returns None for anything else, also for a number
    that is too large for a column."""
    text = str(value).strip()
    if isinstance(value, bool) or not isinstance(value, int | str) or not re.fullmatch(r"[0-9]{1,19}", text):
        return None
    return number if (number := int(text)) <= LARGEST_ID else None


def as_text(value: Any) -> str:
    """Returns a text or a number as text, as far as a column can hold it; "" for anything else."""
    return "" if value is None or isinstance(value, bool | dict | list) else _UNSTORABLE.sub("", str(value))


def _number(value: Any) -> int | None:
    if isinstance(value, dict):
        value = value.get("id")
    if isinstance(value, bool) or value is None:
        return None
    found = re.fullmatch(r"f?([0-9]+)(?:\.0+)?", str(value).strip())
    return whole(found.group(1)) if found else None


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or value is None:
        return None
    # Money is text with two decimals; some answers have a decimal comma (roapp §2).
    text = re.sub(r"[\s\u00a0']", "", str(value)).replace(",", ".")
    try:
        number = Decimal(text if len(text) <= _LONGEST_NUMBER else "")
    except InvalidOperation:
        return None
    return number if number.is_finite() and number.copy_abs() < LARGEST_AMOUNT else None


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:  # the first or last possible day, in another zone
        return None


def _texts(value: Any, *keys: str) -> list[str]:
    parts = value if isinstance(value, list) else [value]
    texts = []
    for part in parts:
        value = next((part[key] for key in keys if part.get(key)), None) if isinstance(part, dict) else part
        if text := as_text(value).strip():
            texts.append(text)
    return texts


def _fields(value: Any) -> dict[str, str]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    if not isinstance(value, dict):
        return {}
    return {str(key): as_text(part) for key, part in value.items() if part is not None}


def _line_discount(value: Any) -> tuple[Decimal, Decimal] | None:
    """Reads `{type, percentage, amount}` (roapp §3.2). A bare number may be either, unless it is 0."""
    if not isinstance(value, dict):
        return None if _decimal(value) != 0 else (Decimal(0), Decimal(0))
    amount, percentage = _decimal(value.get("amount")) or Decimal(0), _decimal(value.get("percentage")) or Decimal(0)
    return {"value": (amount, Decimal(0)), "percentage": (Decimal(0), percentage)}.get(str(value.get("type")))


Id = Annotated[int, BeforeValidator(_number)]
MaybeId = Annotated[int | None, BeforeValidator(_number)]
Text = Annotated[str, BeforeValidator(as_text)]
Money = Annotated[Decimal | None, BeforeValidator(_decimal)]
Amount = Annotated[Decimal, BeforeValidator(lambda value: _decimal(value) or Decimal(0))]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]
Phones = Annotated[list[str], BeforeValidator(lambda value: _texts(value, "phone", "number", "value"))]
Barcodes = Annotated[list[str], BeforeValidator(lambda value: _texts(value, "code", "barcode"))]
FirstPrice = Annotated[PriceType | None, BeforeValidator(lambda value: first_price(value, _number, _decimal)[0])]
FirstAmount = Annotated[Decimal | None, BeforeValidator(lambda value: first_price(value, _number, _decimal)[1])]
LineDiscount = Annotated[tuple[Decimal, Decimal] | None, BeforeValidator(_line_discount)]
Fields = Annotated[dict[str, str], BeforeValidator(_fields)]
