"""Makes texts of the two APIs fit for a log: short, and without personal data and secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from cartum_roapp.control import without_control

SHOWN = 200
MASK = "•••"
# The patterns are slow on a long text without blanks, so no more than this is searched.
_LOOKED_AT = 2000

_EMAIL = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+")
_TOKEN = re.compile(r"(?=[\w.~+/-]*\d)(?=[\w.~+/-]*[A-Za-z])[\w.~+/-]{16,}=*|\b[A-Za-z]{32,}\b")
_DIGITS = re.compile(r"\+?\(?\d[\d\s().\-]{5,}\d")
_STAMP = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}(?::?\d{2})?)?\s*")

# Keys of RO App's request bodies with personal data of a buyer.
_PERSONAL = frozenset(
    {
        "first_name", "last_name", "name", "email", "phone", "phones", "address", "notes", "manager_notes",
        "engineer_notes", "malfunction", "comment", "custom_fields", "discount_code", "tax_identification_number",
        "business_registration_number",
    }
)  # fmt: skip


_buyer: ContextVar[frozenset[str]] = ContextVar("buyer", default=frozenset())


@contextmanager
def about(**buyer: str) -> Iterator[None]:
    """Inside, `mask` hides this buyer's data as well: RO App may name the person although the call had only the id."""
    token = _buyer.set(frozenset(personal({"address": list(buyer.values())})))
    try:
        yield
    finally:
        _buyer.reset(token)


def mask(text: str, private: Iterable[str] = ()) -> str:
    """Returns `text` on one line of at most 200 characters, without control characters. E-mail addresses, phone
    numbers, what looks like a token or key, and every string of `private` (passwords, names, data that was sent) are
    replaced by `•••`."""
    looked_at = without_control(text[:_LOOKED_AT]).split()
    if len(text) > _LOOKED_AT:
        looked_at[-1:] = "…"  # the patterns don't recognise half a word
    text = " ".join(looked_at)
    for value in sorted({*private, *_buyer.get()}, key=len, reverse=True):
        if len(value) >= 2:
            text = re.sub(re.escape(value), MASK, text, flags=re.IGNORECASE)
    text = _EMAIL.sub(MASK, text)
    text = _TOKEN.sub(MASK, text)
    text = _DIGITS.sub(_phone, text)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def personal(body: Any) -> set[str]:
    """Returns the strings of a request body with personal data of a buyer, and their words, for `mask`."""
    values: set[str] = set()
    for value in _strings(body, False):
        values.add(value)
        values.update(word for word in re.split(r"[\s,;]+", value) if len(word) >= 3)
    return values


def _strings(value: Any, inside: bool) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _strings(part, inside or key in _PERSONAL)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _strings(part, inside)
    elif inside and isinstance(value, str) and value.strip():
        yield value.strip()


def _phone(match: re.Match[str]) -> str:
    found = match.group()
    stamp = _STAMP.match(found)
    digits = sum(letter.isdigit() for letter in (found[stamp.end() :] if stamp else found))
    return MASK if digits >= 9 or (found.startswith("+") and digits >= 7) else found
