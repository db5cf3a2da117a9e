"""Makes texts of a shop comparable: decodes entities, composes Unicode, collapses whitespace.

All functions are pure and idempotent (`f(f(x)) == f(x)`). All except `storable` return "" if there is no text.
"""

from __future__ import annotations

import html
import math
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from html.entities import html5

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# Controls, bidi marks, soft hyphen, BOM, zero-width space, lone surrogates. Joiners stay: emoji need them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff]"
)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_HIDDEN = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_BLOCK = re.compile(r"</?(?:p|div|li|ul|ol|tr|table|h[1-6]|section|article|blockquote|hr)\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^>]*>")

# Cartum's code for Ukrainian is `ua`; people type the ISO code (cartum §6).
_ALIASES = {"ua": "uk", "uk": "ua"}
#: So long are texts that come often: titles, cities, ways to pay.
_SHORT = 60
_FALLBACK = ("ua", "uk", "ru", "en")


def as_text(value: object) -> str:
    """Returns a scalar as text, unchanged otherwise. Whole floats lose their fraction (1001.0 → "1001"). Returns "" for
    null, booleans, and PHP's empty list for an empty text."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def clean(value: object) -> str:
    """Returns one line of text: entities decoded, however often they were escaped; NFC; single spaces; no controls."""
    text = value if isinstance(value, str) else as_text(value)
    return _known_cleaned(text) if len(text) <= _SHORT else _cleaned(text)


def clean_lines(value: object) -> str:
    """As `clean`, and keeps line breaks (also `<br>`), except empty lines."""
    text = value if isinstance(value, str) else as_text(value)
    if not text or (_is_clean(text) and "<" not in text):
        return text
    previous = None
    while text != previous:
        previous = text
        lines = (" ".join(line.split()) for line in _BREAK.sub("\n", _normal(text)).splitlines())
        text = "\n".join(line for line in lines if line)
    return text


def plain(value: object) -> str:
    """Returns a text with mark-up, such as a product's description, as plain lines."""
    text = clean_lines(value)
    previous = None
    while text != previous:
        previous = text
        if "<" in text:
            text = _TAG.sub("", _BLOCK.sub("\n", _HIDDEN.sub("", text)))
        text = clean_lines(text)
    return text


def pick(value: object, language: str, cleaner: Callable[[object], str] = clean) -> str:
    """Returns one language of a text that is a string, `{language: text}` or `{id, value: {language: text}}` (cartum
    §5.2). If it is missing or empty, takes ua, ru or en, otherwise the first language with a text."""
    if isinstance(value, dict):
        if "value" in value:
            return pick(value["value"], language, cleaner)
        wanted = language.strip().lower()
        codes = dict.fromkeys((wanted, _ALIASES.get(wanted, wanted), *_FALLBACK, *value))
        return next((text for code in codes if (text := cleaner(value.get(code)))), "")
    if isinstance(value, list):
        return next((text for part in value if (text := pick(part, language, cleaner))), "")
    return cleaner(value)


def storable(value: object) -> object:
    """Returns JSON data that PostgreSQL takes as jsonb: without NUL and lone surrogates; NaN and infinity as text."""
    if isinstance(value, str):
        return re.sub("[\x00\ud800-\udfff]", "", value)
    if isinstance(value, dict):
        return {str(storable(str(key))): storable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [storable(part) for part in value]
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)


def _cleaned(text: str) -> str:
    if _is_clean(text):
        return text
    previous = None
    while text != previous:
        previous = text
        text = " ".join(_normal(text).split())
    return text


_known_cleaned = lru_cache(maxsize=8192)(_cleaned)


def _is_clean(text: str) -> bool:
    return not text or (
        text.isprintable()
        and "&" not in text
        and "  " not in text
        and text[0] != " "
        and text[-1] != " "
        and (text.isascii() or unicodedata.is_normalized("NFC", text))
    )


def _normal(text: str) -> str:
    if "&" in text:
        text = _ENTITY.sub(_character, text)
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", text))


def _character(match: re.Match[str]) -> str:
    # html.unescape alone reads "&notes" as "¬es": here only what ends with a semicolon is an entity.
    entity = match.group()
    return html.unescape(entity) if entity[1] == "#" else html5.get(entity[1:], entity)
