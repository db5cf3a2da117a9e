"""How values may look, without asking anybody. Files, commands, forms and blocks share these rules.

A rule takes the value as read (YAML, JSON, Python), which is not empty, and returns it in its stored form, or raises
Refused.
"""

from __future__ import annotations

import functools
import re
import zoneinfo
from collections.abc import Callable, Sequence

from cartum_roapp.control import without_control
from cartum_roapp.shops.currency_names import parse as parse_currency_names
from cartum_roapp.shops.refused import Refused, closest, kind_of, shortened

BIGGEST_ID = 2**63 - 1
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?")
SLUG_FIX = "use 1 to 48 lower-case Latin letters, digits and hyphens, no hyphen at either end"


def text(value: object, longest: int) -> str:
    """One line of text without blanks around it, 1 to `longest` characters."""
    if not isinstance(value, str):
        fix = "put it in quotes" if isinstance(value, bool | int | float) else "write one line of text"
        raise Refused(f"must be text, this is {kind_of(value)}.", fix)
    value = value.strip()
    if "\n" in value or "\t" in value or without_control(value) != value:
        raise Refused("has a line break or a control character in it.", "write it on one line")
    if len(value) > longest:
        raise Refused(f"has {len(value)} characters, at most {longest} fit.", "shorten it")
    return value


def line(longest: int) -> Callable[[object], str]:
    """The rule for one line of text."""
    return lambda value: text(value, longest)


def whole_number(value: object, lowest: int = 1, highest: int = BIGGEST_ID) -> int:
    """A whole number in range; digits in quotes are refused, they would hide a slip elsewhere."""
    if isinstance(value, str) and value.strip().isdecimal():
        raise Refused("must be a whole number, this is text.", "write the number without quotes")
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(f"must be a whole number, this is {kind_of(value)}.", "write digits only")
    if not lowest <= value <= highest:
        if highest == BIGGEST_ID:
            raise Refused("is not an id that can exist.", "write a whole number from 1 up")
        raise Refused(f"is {value}, out of range.", f"write a number from {lowest} to {highest}")
    return value


def number(lowest: int, highest: int) -> Callable[[object], int]:
    """The rule for a whole number in a range."""
    return lambda value: whole_number(value, lowest, highest)


def one_of(words: Sequence[str]) -> Callable[[object], str]:
    """The rule for one of some words, written exactly so; a near miss is named."""
    listed = ", ".join(words)

    def rule(value: object) -> str:
        if not isinstance(value, str):
            raise Refused(f"must be one of {listed}; this is {kind_of(value)}.", f"write one of {listed}")
        word = value.strip()
        if word not in words:
            near = closest(word, words)
            raise Refused(f'"{shortened(word)}" is unknown.', f"write {near}" if near else f"write one of {listed}")
        return word

    return rule


def some_of(words: Sequence[str]) -> Callable[[object], tuple[str, ...]]:
    """The rule for one or several of some words in an order: a list, or a text with commas. Each counts once."""
    one = one_of(words)

    def rule(value: object) -> tuple[str, ...]:
        several = value.split(",") if isinstance(value, str) else value
        if not isinstance(several, list | tuple):
            raise Refused(f"must be a word or a list of words, this is {kind_of(value)}.")
        if not several:
            raise Refused("is an empty list.")
        return tuple(dict.fromkeys(one(word) for word in several))

    return rule


def boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise Refused(f"must be true or false, this is {kind_of(value)}.", "write true or false without quotes")
    return value


def slug(value: object) -> str:
    """A shop's name on the command line, an account's name: they name Prefect's blocks and deployments."""
    name = text(value, 2000)
    if not SLUG.fullmatch(name):
        raise Refused(f'"{shortened(name)}" can\'t be a name here.', SLUG_FIX)
    return name


def shop_slug(value: object) -> str:
    """A shop's name on the command line, and in the addresses of its pages."""
    name = slug(value)
    if name == "new":
        raise Refused('"new" is the page that connects a shop.', "choose another name")
    return name


def login(value: object) -> str:
    """The admin's user name; Cartum has no logins by e-mail address (cartum §1.1)."""
    name = text(value, 255)
    if "@" in name:
        raise Refused("is an e-mail address; the shop knows its admins by user name.")
    return name


def secret(value: object) -> str:
    """A password or key as it is, blanks included."""
    if not isinstance(value, str):
        raise Refused(f"must be text, this is {kind_of(value)}.", "put it in quotes")
    if len(value) > 1024 or any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise Refused("has a line break or more than 1024 characters.", "give the password alone")
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise Refused("is not UTF-8 text.", "type it again on a terminal that is set to UTF-8")
    return value


def api_key(value: object) -> str:
    """RO App's key: it travels in a header, so nothing but visible ASCII (roapp §2)."""
    key = secret(value).strip()
    if not re.fullmatch(r"[!-~]+", key):
        raise Refused("has a character that no API key has.", "copy the key again from RO App: Settings > API")
    return key


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones()) - {"localtime", "posixrules", "Factory"}


def timezone(value: object) -> str:
    """The IANA name of a zone; a near one is named."""
    name = text(value, 100)
    if name not in _zones():
        offset = re.match(r"(?i)(utc|gmt)\b", name)  # a zone has summer time, an offset has not
        near = (
            None
            if offset
            else closest(name, _zones()) or closest(name.rpartition("/")[2], (z.rpartition("/")[2] for z in _zones()))
        )
        full = near if near is None or near in _zones() else min(z for z in _zones() if z.endswith("/" + near))
        raise Refused(f'"{shortened(name)}" is not a time zone.', f"write {full}" if full else "")
    return name


def language(value: object) -> str:
    """A language code as shops name them, such as ua."""
    code = text(value, 100)
    if not re.fullmatch(r"[a-z]{2,3}(?:[-_][A-Za-z]{2,4})?", code):
        raise Refused(f'"{shortened(code)}" is not a language code.', "write a code of the shop, like ua, ru, en or ro")
    return code


def managers(value: object) -> str | tuple[int, ...]:
    """The word all, or ids of employees."""
    if value == "all":
        return "all"
    if not isinstance(value, list | tuple):
        raise Refused(f"must be all or a list of employee ids, this is {kind_of(value)}.", "write all, or [12, 34]")
    return ids(value)


def ids(value: object) -> tuple[int, ...]:
    """A list of ids, each once, in their order."""
    if not isinstance(value, list | tuple):
        raise Refused(f"must be a list of numbers, this is {kind_of(value)}.")
    if not value:
        raise Refused("is an empty list.")
    for one in value:
        try:
            whole_number(one)
        except Refused:
            raise Refused(f"holds {_word(one)}, not a whole number from 1 up.") from None
    return tuple(dict.fromkeys(value))


def statuses(value: object) -> dict[int, int]:
    """The shop's status id → RO App's. Keys may be digits in quotes (JSON knows no others), values not."""
    if not isinstance(value, dict):
        raise Refused(f"must be a mapping of status ids, this is {kind_of(value)}.")
    if not value:
        raise Refused("is an empty mapping.")
    pairs: dict[int, int] = {}
    for key, target in value.items():
        status = int(key) if isinstance(key, str) and re.fullmatch(r"[0-9]{1,18}", key) else key
        if isinstance(status, bool) or not isinstance(status, int) or not 1 <= status <= BIGGEST_ID:
            raise Refused(f"has the key {_word(key)}, which is not a status id.")
        if status in pairs:
            raise Refused(f"matches status {status} twice.", "keep one of the two lines")
        try:
            pairs[status] = whole_number(target)
        except Refused:
            raise Refused(f"matches status {status} with {_word(target)}, not a whole number from 1 up.") from None
    return pairs


def order_number_field(value: object) -> str:
    """The key of an order field of RO App, such as f123 (roapp §3.3)."""
    name = text(value, 100)
    if not re.fullmatch(r"f[0-9]{1,18}", name):
        raise Refused(f'"{shortened(name)}" is not a custom field.')
    return name


def phone_region(value: object) -> str:
    """The two letters of a country that has phone numbers."""
    import phonenumbers

    region = text(value, 100).upper()
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise Refused(f'"{shortened(region)}" is not a country.', "write GB" if region == "UK" else "")
    return region


def currency_names(value: object) -> str:
    """A shop's names of currencies with their codes, such as "бакси = USD, у.о. = EUR"."""
    names = text(value, 500)
    try:
        parse_currency_names(names)
    except ValueError as error:
        raise Refused(f'"{shortened(str(error))}" is not a name with the code of a currency.') from None
    return names


def _word(value: object) -> str:
    if value is None:
        return "nothing"
    return (
        f'"{shortened(value)}"' if isinstance(value, str) else str(value) if isinstance(value, int) else kind_of(value)
    )
