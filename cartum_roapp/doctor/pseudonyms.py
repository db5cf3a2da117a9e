"""Replaces names, phone numbers, addresses and identifiers by pseudonyms, the same value always by the same one.

A text keeps its form: each word becomes one of the same length, case and alphabet, each number one of as many digits.
So an order's number is the same in both systems, a phone number gets the same pseudonym however it is written, and an
account that answers in an unusual form still does. All times are moved by the same span. All money is multiplied by the
same whole number, so sums still add up. Kept are words of the APIs, counts and percentages. Passwords and tokens are
left out. Whoever sees both systems may still guess which order is which.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from math import isfinite
from typing import Any

#: Names of values that are the API's own words, and reveal nothing about a person.
_WORDS = re.compile(
    r"status|type|kind|method|currency|currency_code|language|lang|locale|unit|object|sort|direction|includedParams"
)
#: Names of values that are money.
_MONEY = re.compile(
    r"(?:.*_)?(?:prices?|total|sum|amount|cost|discount|discount_value|balance|paid)(?:_(?:default|old|new|min|max))?(?:\[\w*\])*"
)
#: Names of values that are counts, rates or places in a list.
_COUNTS = re.compile(
    r"total_pages|manager_discount|(?:.*_)?(?:quantity|count|limit|offset|page|rate|percent|percentage|weight)(?:\[\w*\])*"
)
#: Names of values that are times, of people's birth or of anything else.
_TIMES = re.compile(r"(?:.*_)?(?:at|date|time|timestamp)(?:\[\w*\])*|\w*Date")
_BIRTH = re.compile(r"birth|born|\bdob\b|народж|рожд", re.IGNORECASE)
#: Keys of objects that are the APIs' own: the others hold data.
_KEY = re.compile(r"(?:[a-z_][a-zA-Z_0-9]*|[A-Z]{1,3}|\d{1,3})(?:\[\w*\])*")
_SECRET = re.compile(r"password|token|secret|api_?key|authorization")
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:([ T])(\d\d:\d\d)(:\d\d)?(\.\d+)?(Z|[+-]\d\d:?\d\d)?)?")
_PLAIN = re.compile(r"-?\d+(?:([.,])(\d+))?")
#: Seconds and milliseconds of the years 2001 to 2065.
_SECONDS, _MILLISECONDS = range(10**9, 3 * 10**9), range(10**12, 3 * 10**12)
#: Years: no order is as old as that, but people are.
_LONG_AGO = 12
_DAY = 86_400
_ENTITY = re.compile(r"&#\d+;?|&#[xX][0-9a-fA-F]+;?|&\w+;")
# Nine digits are a phone's own in Ukraine; the first two are the operator's, which must stay valid.
_PHONE = re.compile(r"\+?\d(?:[ ()\-]*\d){8,}")
_OWN, _OPERATOR = 9, 2
_NUMBER = re.compile(r"\d{4,}")
_PART = re.compile(r"\d+|[^\W\d_]+")
#: Numbers below this are counts and the ids of lists that each account has, such as statuses.
_SMALL = 1000

_ALPHABETS = ("abcdefghijklmnopqrstuvwxyz", "абвгдежзиклмнопрстуфхцчшю")


class Pseudonyms:
    """The pseudonyms of one recording. They can't be reversed: the key is never stored."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        # Into the past: nothing that answers from a recording meets a time to come.
        self._span = -timedelta(seconds=_DAY + secrets.randbelow(200 * _DAY))
        self._factor = 11 + secrets.randbelow(87)

    def of(self, value: Any, name: str = "") -> Any:
        """Returns a JSON value with its personal data replaced; `name` is the key that it stands under."""
        if isinstance(value, dict):
            # What stands under a key that is data, such as an id, is what the whole object is.
            return {self._key_of(key): self.of(one, key if key[:1].isalpha() else name) for key, one in value.items()}
        if isinstance(value, list):
            return [self.of(one, name) for one in value]
        if isinstance(value, str):
            if _SECRET.search(name):
                return "" if value == "" else "•••"
            return self._string(value, name)
        if isinstance(value, float):
            return self._float(value, name)
        if isinstance(value, int) and not isinstance(value, bool):
            return self._int(value, name)
        return value

    def text(self, value: str) -> str:
        """Returns a text of the same form. What is written as HTML entities is replaced too, and stays so written."""
        written = [(unit, unescape(unit) if len(unescape(unit)) == 1 else unit) for unit in _units(value)]
        plain = "".join(letter for _, letter in written)
        other = self._plain(plain)
        done, at = [], 0
        for unit, letter in written:
            now = other[at : at + len(letter)]
            at += len(letter)
            done.append(unit if now == letter else f"&#{ord(now)};" if len(unit) > len(letter) else now)
        return "".join(done)

    def moved(self, value: datetime) -> datetime:
        """Returns a time as the recording has it."""
        return value + self._span

    def path(self, value: str) -> str:
        """Returns a URL's path with its long numbers replaced."""
        return _NUMBER.sub(lambda found: self.text(found[0]), value)

    def _plain(self, value: str) -> str:
        done, at = [], 0
        for found in _PHONE.finditer(value):
            done += [_PART.sub(self._part, value[at : found.start()]), self._phone(found)]
            at = found.end()
        return "".join([*done, _PART.sub(self._part, value[at:])])

    def _key_of(self, key: str) -> str:
        return self.path(key) if _KEY.fullmatch(key) else self.text(key)

    def _string(self, value: str, name: str) -> str:
        if found := _DATE.fullmatch(value):
            return self._date(found, name)
        if found := _PLAIN.fullmatch(value):
            if _BIRTH.search(name):
                return self.text(value)
            if _is_money(name):
                scaled = format(self._scaled(Decimal(value.replace(",", "."))), "f")
                return scaled.replace(".", found[1] or ".")
            if value.isdigit():
                return str(self._int(int(value), name)) if str(int(value)) == value else self.text(value)
            return value if _COUNTS.fullmatch(name) else self.text(value)
        if _WORDS.fullmatch(name) and value.isascii() and len(value) <= 40:
            return value
        return self.text(value)

    def _int(self, value: int, name: str) -> int:
        if _BIRTH.search(name):
            return int(self.text(str(value)))
        if _is_money(name):
            return int(self._scaled(Decimal(value)))
        if _TIMES.fullmatch(name) and value in _SECONDS:
            return value + int(self._span.total_seconds())
        if _TIMES.fullmatch(name) and value in _MILLISECONDS:
            return value + int(self._span.total_seconds()) * 1000
        return value if abs(value) < _SMALL or _COUNTS.fullmatch(name) else int(self.text(str(value)))

    def _float(self, value: float, name: str) -> float:
        if not isfinite(value):
            return value
        if _is_money(name):
            return float(self._scaled(Decimal(repr(value))))
        if value.is_integer():
            return float(self._int(int(value), name))
        return value if _COUNTS.fullmatch(name) else float(self.text(format(Decimal(repr(value)), "f")))

    def _scaled(self, amount: Decimal) -> Decimal:
        """Returns the money as the recording has it. -1 is a word of the shop's API: to be agreed on."""
        return amount if amount == -1 else amount * self._factor

    def _date(self, found: re.Match[str], name: str) -> str:
        """Returns a time of the same form: moved, or any other one where it may be a birth."""
        day, between, minute, second, part, zone = (one or "" for one in found.groups())
        try:
            was = datetime.fromisoformat(f"{day} {minute or '00:00'}{second}")
            born = _BIRTH.search(name) or was.year < datetime.now(UTC).year - _LONG_AGO
            drawn = int.from_bytes(self._bytes(found[0], 3)) % 20_000
            new = datetime(1950, 1, 1) + timedelta(days=drawn) if born else self.moved(was)
        except (ValueError, OverflowError):
            return found[0] if not found[0].strip("0-:T Z") else self.text(found[0])
        form = "%Y-%m-%d" + (between + "%H:%M" if minute else "") + (":%S" if second else "")
        return f"{new.strftime(form)}{part}{zone}"

    def _phone(self, found: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", found[0])
        kept, own = digits[: -_OWN + _OPERATOR], digits[-_OWN + _OPERATOR :]
        others = iter(kept + self._digits(own))
        return re.sub(r"\d", lambda _: next(others), found[0])

    def _part(self, found: re.Match[str]) -> str:
        word = found[0]
        if word.isdigit():
            return self._digits(word)
        lower = word.lower()
        alphabet = next((one for one in _ALPHABETS if lower[0] in one), _ALPHABETS[lower[0] > "z"])
        drawn = (alphabet[byte % len(alphabet)] for byte in self._bytes(lower, len(word)))
        return "".join(other.upper() if one.isupper() else other for one, other in zip(word, drawn, strict=True))

    def _digits(self, value: str) -> str:
        """Returns as many digits, the first one a zero exactly where it was."""
        drawn = [byte % 10 for byte in self._bytes(value, len(value))]
        if value[0] == "0":
            drawn[0] = 0
        elif drawn[0] == 0:
            drawn[0] = 1
        return "".join(map(str, drawn))

    def _bytes(self, value: str, length: int) -> bytes:
        made = b""
        while len(made) < length:
            made += hmac.new(self._key, f"{len(made)} {value}".encode(), hashlib.sha256).digest()
        return made[:length]


def _is_money(name: str) -> bool:
    return bool(_MONEY.fullmatch(name)) and not _COUNTS.fullmatch(name)


def _units(value: str) -> Iterator[str]:
    """Yields the entities and the letters of a text, as they are written."""
    at = 0
    for found in _ENTITY.finditer(value):
        yield from value[at : found.start()]
        yield found[0]
        at = found.end()
    yield from value[at:]
