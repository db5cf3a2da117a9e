"""Reads exact numbers from JSON numbers, numeric strings and decimal commas (cartum §2.6).

A ValueError has a text that completes the sentence "<field> …" and holds no value.
"""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

PLACES = Decimal("0.0001")  # as in the ledger's columns; also removes float artefacts (0.30000000000000004)
CENT = Decimal("0.01")
LIMIT = Decimal(10) ** 12

_PLAIN = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?:([.,])[0-9]{3})(?:\1[0-9]{3})*(?:(?!\1)[.,][0-9]+)?")
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}(?:[.,]0+)?")
_SCALARS = (int, float, str)
_TRUE = frozenset({"1", "true", "yes", "on", "t", "y"})


def money(value: object) -> Decimal:
    """Returns an amount with two decimals, up to four if the shop has more (halves are rounded up):
    199.5 → Decimal("199.50"). Raises ValueError."""
    return _cached_money(value) if isinstance(value, _SCALARS) else _money(value)


def price(value: object) -> Decimal:
    """As `money`, at least 0: gifts and parts of a set cost 0 (cartum §2.5). Raises ValueError."""
    amount = money(value)
    if amount < 0:
        raise ValueError("is negative")
    return amount


def total(value: object) -> Decimal:
    """As `price`, to the cent at once: rounded twice, 11.33496 would be 11.34. Raises ValueError."""
    amount = _decimal(value).quantize(CENT, ROUND_HALF_UP) + 0
    if amount < 0:
        raise ValueError("is negative")
    return amount


def quantity(value: object) -> Decimal:
    """Returns a number with at most four decimals and no trailing zeros: 2.0 → Decimal("2"). Raises ValueError."""
    return _cached_quantity(value) if isinstance(value, _SCALARS) else _quantity(value)


def whole(value: object) -> int:
    """Reads an integer from 7, 7.0, "7" or "7.0". Raises ValueError, also for booleans and fractions."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float | Decimal):
        if math.isfinite(value) and value == int(value):
            return int(value)
        raise ValueError("is not a whole number")
    if isinstance(value, str) and _WHOLE.fullmatch(text := value.strip()):
        return int(re.split("[.,]", text)[0])
    if is_missing(value):
        raise ValueError("is missing")
    raise ValueError("is not a whole number")


def is_missing(value: object) -> bool:
    """Returns whether it is no value: null, "", or PHP's empty list or object."""
    return value is None or value in ("", [], {})


def flag(value: object) -> bool:
    """Returns True for 1, "1", true, "yes" and the like; False for anything else."""
    if isinstance(value, str):
        return value.strip().lower() in _TRUE
    return isinstance(value, int | float) and value == 1


def _money(value: object) -> Decimal:
    amount = _decimal(value).quantize(PLACES, ROUND_HALF_UP) + 0  # + 0: no negative zero
    cents = amount.quantize(CENT, ROUND_HALF_UP)
    return cents if cents == amount else amount.normalize()


def _quantity(value: object) -> Decimal:
    amount = _decimal(value).quantize(PLACES, ROUND_HALF_UP)
    return Decimal(int(amount)) if amount == amount.to_integral_value() else amount.normalize()


_cached_money = lru_cache(maxsize=4096, typed=True)(_money)
_cached_quantity = lru_cache(maxsize=1024, typed=True)(_quantity)


def _decimal(value: object) -> Decimal:
    if is_missing(value):
        raise ValueError("is missing")
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise ValueError("is not a number")
    if isinstance(value, str):
        number = Decimal(_point(value))
    else:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise ValueError("is not a finite number")
    if abs(number) >= LIMIT:
        raise ValueError("is too large")
    return number


def _point(value: str) -> str:
    """Returns the numeric string with a decimal point and without thousands separators."""
    text = "".join(value.split()).replace("'", "").replace("’", "")
    if not text:
        raise ValueError("is missing")
    if _PLAIN.fullmatch(text):
        return text
    if text.count(",") == 1 and "." not in text:
        before, after = text.split(",")
        if len(after) == 3 and before.lstrip("+-") not in ("", "0"):
            raise ValueError("has a comma that may separate thousands or decimals")
        text = f"{before}.{after}"
    elif _THOUSANDS.fullmatch(text):
        first = next(sign for sign in text if sign in ",.")
        text = text.replace(first, "").replace(",", ".")
    if not _PLAIN.fullmatch(text):
        raise ValueError("is not a number")
    return text
