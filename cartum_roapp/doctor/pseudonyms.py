"""Replaces names, phone numbers, addresses and identifiers by pseudonyms, the same value always by the same one.

A text keeps its form: each word becomes one of the same length, case and alphabet, each number one of as many digits.
So an order's number is the same in both systems, a phone number gets the same pseudonym however it is written, and an
account that answers in an unusual form still does. Kept are words of the APIs, dates, and amounts, whose sums must stay
right. Passwords and tokens are left out.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Any

#: Names of values that are the API's own words, and reveal nothing about a person.
_WORDS = re.compile(
    r"status|type|kind|method|currency|currency_code|language|lang|locale|unit|object|sort|direction|includedParams"
)
#: Names of values that are amounts, counts or times.
_AMOUNTS = re.compile(
    r"(?:.*_)?(?:price|total|sum|amount|cost|discount|quantity|count|limit|offset|page|rate|percent|balance|weight"
    r"|default|at|date|time|timestamp)(?:\[\w*\])*"
)
_SECRET = re.compile(r"password|token|secret|api_?key|authorization")
_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")
_PLAIN = re.compile(r"-?\d+([.,]\d+)?")
# Nine digits are a phone's own in Ukraine; the first two are the operator's, which must stay valid.
_PHONE = re.compile(r"\+?\d(?:[ ()\-]*\d){8,}")
_OWN, _OPERATOR = 9, 2
_NUMBER = re.compile(r"\d{4,}")
_PART = re.compile(r"&#?\w+;|\d+|[^\W\d_]+")
#: Numbers below this are counts and the ids of lists that each account has, such as statuses.
_SMALL = 1000

_ALPHABETS = ("abcdefghijklmnopqrstuvwxyz", "абвгдежзиклмнопрстуфхцчшю")


class Pseudonyms:
    """The pseudonyms of one recording. They can't be reversed: the key is never stored."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def of(self, value: Any, name: str = "") -> Any:
        """Returns a JSON value with its personal data replaced; `name` is the key that it stands under."""
        if isinstance(value, dict):
            return {self.path(key): self.of(one, key) for key, one in value.items()}
        if isinstance(value, list):
            return [self.of(one, name) for one in value]
        if isinstance(value, str):
            if _SECRET.search(name):
                return "" if value == "" else "•••"
            return value if self._stays(value, name) else self.text(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return value if abs(value) < _SMALL or _AMOUNTS.fullmatch(name) else int(self.text(str(value)))
        return value

    def text(self, value: str) -> str:
        """Returns a text of the same form."""
        done, at = [], 0
        for found in _PHONE.finditer(value):
            done += [_PART.sub(self._part, value[at : found.start()]), self._phone(found)]
            at = found.end()
        return "".join([*done, _PART.sub(self._part, value[at:])])

    def path(self, value: str) -> str:
        """Returns a URL's path with its long numbers replaced."""
        return _NUMBER.sub(lambda found: self.text(found[0]), value)

    def _stays(self, value: str, name: str) -> bool:
        if _DATE.fullmatch(value):
            return True
        if _PLAIN.fullmatch(value):
            return bool(_AMOUNTS.fullmatch(name)) or (value.isdigit() and int(value) < _SMALL)
        return bool(_WORDS.fullmatch(name)) and value.isascii() and len(value) <= 40

    def _phone(self, found: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", found[0])
        kept, own = digits[: -_OWN + _OPERATOR], digits[-_OWN + _OPERATOR :]
        others = iter(kept + self._digits(own))
        return re.sub(r"\d", lambda _: next(others), found[0])

    def _part(self, found: re.Match[str]) -> str:
        word = found[0]
        if word.startswith("&"):  # an apostrophe as HTML, as some shops send it
            return word
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
