"""How each value may look, without asking anybody. Files, commands and blocks share these rules.

A rule takes the value as read (YAML, JSON, Python) and returns it in its stored form, or raises Refused.
"""

from __future__ import annotations

import functools
import re
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from cartum_roapp.config import Identifier
from cartum_roapp.connection.addresses import base_url, shop_url
from cartum_roapp.connection.refused import BIGGEST_ID, Refused, closest, kind_of, one_of, shown, text, whole_number

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?")
SLUG_RULE = "1 to 48 lower-case Latin letters, digits and hyphens, no hyphen at either end"
LONGEST_WINDOW = 365
#: Longer than an order's data is needed: the trailing window of most shops, and two weeks after its end.
SHORTEST_RETENTION, LONGEST_RETENTION = 90, 3650


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its rule, and `hint`: what to write, which is the fix for a missing or empty value."""

    check: Callable[[object], object]
    hint: str
    required: bool = True


def checked(field: Field, value: object) -> object:
    """The value in its stored form. Empty values are refused here, the rules never see them; None stands for
    an optional field that is left out."""
    if value is None or (isinstance(value, str) and not value.strip()):
        if value is None and not field.required:
            return None
        raise Refused("is empty.", field.hint)
    return field.check(value)


def slug(value: object) -> str:
    """A shop's name on the command line, an account's name: they name Prefect's blocks and deployments."""
    name = text(value, 2000)
    if not SLUG.fullmatch(name):
        raise Refused(f'"{shown(name)}" can\'t be a name here.', f"use {SLUG_RULE}")
    return name


def login(value: object) -> str:
    """The admin's user name; Cartum has no logins by e-mail address (cartum §1.1)."""
    name = text(value, 255)
    if "@" in name:
        raise Refused(
            "is an e-mail address; the shop knows its admins by user name.",
            "write the user name that stands in the shop's admin under Settings > Admins",
        )
    return name


def secret(value: object) -> str:
    """A password or key as it is, blanks included."""
    if not isinstance(value, str):
        raise Refused(f"must be text, this is {kind_of(value)}.", "put it in quotes")
    if len(value) > 1024 or any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise Refused("has a line break or more than 1024 characters.", "give the password alone")
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise Refused("is no text in UTF-8.", "type it anew on a terminal that is set to UTF-8")
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
    name = text(value, 100)
    if name not in _zones():
        offset = re.match(r"(?i)(utc|gmt)\b", name)  # a zone has summer time, an offset has not
        near = (
            None
            if offset
            else closest(name, _zones()) or closest(name.rpartition("/")[2], (z.rpartition("/")[2] for z in _zones()))
        )
        full = near if near is None or near in _zones() else min(z for z in _zones() if z.endswith("/" + near))
        fix = f"write {full}" if full else "write the IANA name of the shop's zone, like Europe/Kyiv or Europe/Chisinau"
        raise Refused(f'"{shown(name)}" is not a time zone.', fix)
    return name


def language(value: object) -> str:
    code = text(value, 100)
    if not re.fullmatch(r"[a-z]{2,3}(?:[-_][A-Za-z]{2,4})?", code):
        raise Refused(f'"{shown(code)}" is not a language code.', "write a code of the shop, like ua, ru, en or ro")
    return code


def managers(value: object) -> str | tuple[int, ...]:
    if value == "all":
        return "all"
    if isinstance(value, str | bool | int | float | dict) or not isinstance(value, list | tuple):
        raise Refused(f"must be all or a list of employee ids, this is {kind_of(value)}.", "write all, or [12, 34]")
    return numbers(value, "write all, or the ids of employees: [12, 34]")


def numbers(value: object, hint: str) -> tuple[int, ...]:
    """A list of ids, each once, in their order."""
    if not isinstance(value, list | tuple):
        raise Refused(f"must be a list of numbers, this is {kind_of(value)}.", hint)
    if not value:
        raise Refused("is an empty list.", hint)
    for number in value:
        try:
            whole_number(number)
        except Refused:
            raise Refused(f"holds {_word(number)}, not a whole number from 1 up.", hint) from None
    return tuple(dict.fromkeys(value))


def statuses(value: object) -> dict[int, int]:
    """The shop's status id → RO App's. Keys may be digits in quotes (JSON knows no others), values not."""
    hint = "write a line `shop status id: RO App status id` for each status of the shop"
    if not isinstance(value, dict):
        raise Refused(f"must be a mapping of status ids, this is {kind_of(value)}.", hint)
    if not value:
        raise Refused("is an empty mapping.", hint)
    pairs: dict[int, int] = {}
    for key, target in value.items():
        number = int(key) if isinstance(key, str) and re.fullmatch(r"[0-9]{1,18}", key) else key
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= BIGGEST_ID:
            raise Refused(f"has the key {_word(key)}, which is not a status id.", hint)
        if number in pairs:
            raise Refused(f"matches status {number} twice.", "keep one of the two lines")
        try:
            pairs[number] = whole_number(target)
        except Refused:
            raise Refused(
                f"matches status {number} with {_word(target)}, not a whole number from 1 up.", hint
            ) from None
    return pairs


def enabled(value: object) -> bool:
    if not isinstance(value, bool):
        raise Refused(f"must be true or false, this is {kind_of(value)}.", "write true or false without quotes")
    return value


def order_number_field(value: object) -> str:
    name = text(value, 100)
    if not re.fullmatch(r"f[0-9]{1,18}", name):
        raise Refused(f'"{shown(name)}" is not a custom field.', "write f and the field's id, like f123")
    return name


def phone_region(value: object) -> str:
    import phonenumbers

    region = text(value, 100).upper()
    if region not in phonenumbers.SUPPORTED_REGIONS:
        fix = "write GB" if region == "UK" else "write the two letters of the country, like UA, MD or RO"
        raise Refused(f'"{shown(region)}" is not a country.', fix)
    return region


def _word(value: object) -> str:
    if value is None:
        return "nothing"
    return f'"{shown(value)}"' if isinstance(value, str) else str(value) if isinstance(value, int) else kind_of(value)


def _choice(*words: str) -> Callable[[object], object]:
    return lambda value: one_of(value, words)


def _final_statuses(value: object) -> tuple[int, ...]:
    return numbers(value, "list the shop's statuses that end an order, like [3, 4], or leave the key out")


#: The keys of FILE.yaml in their order; the fields of the CartumShop block but for `key` and `password`.
SHOP_FIELDS: dict[str, Field] = {
    "name": Field(lambda value: text(value, 64), "give the shop's name, 1 to 64 characters"),
    "platform": Field(_choice("cartum", "horoshop"), "write cartum or horoshop"),
    "url": Field(shop_url, "write the shop's address, like https://shop.example.com"),
    "login": Field(login, "write the user name that stands in the shop's admin under Settings > Admins"),
    "timezone": Field(timezone, "write the IANA name of the shop's zone, like Europe/Kyiv or Europe/Chisinau"),
    "account": Field(slug, "write the name of an account of `cartum-roapp account list`"),
    "location_id": Field(whole_number, "write the id of a location; `cartum-roapp account show ACCOUNT` lists them"),
    "order_type_id": Field(
        whole_number, "write the id of an order type; `cartum-roapp account show ACCOUNT` lists them"
    ),
    "language": Field(language, "write a language code of the shop, like ua, ru, en or ro"),
    "identify_products_by": Field(_choice(*get_args(Identifier)), "write code, sku, barcode or name"),
    "managers": Field(managers, "write all, or the ids of employees: [12, 34]"),
    "statuses": Field(statuses, "write a line `shop status id: RO App status id` for each status of the shop"),
    "missing_products": Field(_choice("create", "hold"), "write create or hold"),
    "status_direction": Field(_choice("to_roapp", "both"), "write to_roapp or both"),
    "enabled": Field(enabled, "write true or false", required=False),
    "window_days": Field(
        lambda value: whole_number(value, 1, LONGEST_WINDOW),
        f"write a number from 1 to {LONGEST_WINDOW}",
        required=False,
    ),
    "retention_days": Field(
        lambda value: whole_number(value, SHORTEST_RETENTION, LONGEST_RETENTION),
        f"write a number from {SHORTEST_RETENTION} to {LONGEST_RETENTION}, or leave the key out to keep the data",
        required=False,
    ),
    "final_statuses": Field(_final_statuses, "list the shop's statuses that end an order, like [3, 4]", required=False),
    "order_number_field": Field(order_number_field, "write f and the field's id, like f123", required=False),
    "phone_region": Field(phone_region, "write the two letters of the country, like UA, MD or RO", required=False),
}

PASSWORD = Field(secret, "give it at the prompt, with --password-stdin or in CARTUM_ROAPP_SHOP_PASSWORD")
API_KEY = Field(api_key, "give it at the prompt, with --api-key-stdin or in CARTUM_ROAPP_API_KEY")
BASE_URL = Field(base_url, "write the address of RO App's API with its version, like https://api.roapp.io/v2")
SLUG_FIELD = Field(slug, f"use {SLUG_RULE}")
