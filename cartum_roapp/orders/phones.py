"""Reads phones as buyers type them into E.164, the key by which a buyer is recognised (cartum §4.2).

A number is usable if its length is possible and it is no placeholder, which identifies nobody. Numbers that the
numbering plan confirms come first. Others count as well, as the plan may not know a new operator's prefix: with a
country code, or with the trunk prefix of the region before a number as long as its phones are. Any other one may be of
another country, so it gets no prefix: a wrong number would be another person.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import (
    CountryCodeSource,
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberMatcher,
    PhoneNumberType,
    ValidationResult,
    national_significant_number,
)

from cartum_roapp.orders.texts import clean_lines

_SEVERAL = re.compile(r"[,;|\n]|\s(?:або|или|чи|та|і|и|or|and|sau|și|si)\s", re.IGNORECASE)
_DIGITS = re.compile(r"\D")
_LONGEST = 250


class Usable(NamedTuple):
    """A number in E.164 with its country code and its national digits; empty where there is none."""

    number: str = ""
    code: int = 0
    national: str = ""


def usable(raw: object, region: str | None) -> Usable:
    """Returns the first usable number of the field, like "+380501234567". Drops extensions.

    `region` (ISO 3166 alpha-2) is needed to read national spellings; without it only international ones are read.
    """
    text = unicodedata.normalize("NFKC", clean_lines(raw))[:_LONGEST]
    return _first_usable(text, region.upper() if region else None) if text else Usable()


def e164(raw: object, region: str | None) -> str:
    """Returns the number of `usable`."""
    return usable(raw, region).number


def spellings(phone: str) -> tuple[str, ...]:
    """Returns how RO App may have an E.164 number: E.164, digits, national digits, and both with spaces.

    Unique, the likeliest first; () for "". For a search of which each found row is compared again (roapp §2).
    """
    digits = _DIGITS.sub("", phone)
    if not digits:
        return ()
    try:
        number = phonenumbers.parse(f"+{digits}")
    except NumberParseException:
        return (f"+{digits}", digits)
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    international = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    return tuple(dict.fromkeys((f"+{digits}", digits, _DIGITS.sub("", national), international, national)))


@lru_cache(maxsize=4096)
def _first_usable(text: str, region: str | None) -> Usable:
    possible: list[PhoneNumber] = []
    for number in _candidates(text, region):
        if is_placeholder(national_significant_number(number)):
            continue
        if phonenumbers.is_valid_number(number):
            return _usable(number)
        if _tells_its_country(number, region):
            possible.append(number)
    for number in map(_without_trunk_prefix, possible):
        if _length_fits(number) and not is_placeholder(national_significant_number(number)):
            return _usable(number)
    return Usable()


def _usable(number: PhoneNumber) -> Usable:
    e164, national = phonenumbers.format_number(number, PhoneNumberFormat.E164), national_significant_number(number)
    return Usable(e164, number.country_code or 0, national)


def _candidates(text: str, region: str | None) -> Iterator[PhoneNumber]:
    parts = [part for part in _SEVERAL.split(text) if _DIGITS.sub("", part)]
    for part in parts:
        yield from _readings(part, region)
    for part in parts:
        if "/" in part:
            for piece in part.split("/"):
                yield from _readings(piece, region)
    if len(parts) > 1:
        yield from _readings("".join(parts), region)
    for match in PhoneNumberMatcher(text, region, leniency=phonenumbers.Leniency.POSSIBLE):
        yield from _parsed(match.raw_string, region)


def _readings(text: str, region: str | None) -> Iterator[PhoneNumber]:
    """Yields the text as it is, then in readings for habits that the numbering plan does not know."""
    stripped = text.strip()
    yield from _parsed(re.sub(r"^\D*00", "+", stripped) if re.match(r"^\D*00[1-9]", stripped) else stripped, region)
    digits = _DIGITS.sub("", stripped)
    code = phonenumbers.country_code_for_region(region) if region else 0
    if region == "UA" and len(digits) == 11 and digits.startswith("80"):  # 8 (050) …, Ukraine's trunk prefix till 2009
        yield from _parsed(digits[1:], region)
    if stripped.startswith("+0"):  # the form's fixed plus before a national number
        yield from _parsed(digits, region)
    if code and digits.startswith(str(code)):
        yield from _parsed(f"+{digits}", region)
    if code and digits.startswith(f"{code}{code}"):  # the form's fixed country code before a typed one
        yield from _parsed(f"+{digits[len(str(code)) :]}", region)
    if len(digits) >= 11:  # another country's number without its plus
        yield from filter(phonenumbers.is_valid_number, _parsed(f"+{digits}", region))


def _parsed(text: str, region: str | None) -> Iterator[PhoneNumber]:
    try:
        yield phonenumbers.parse(text, region, keep_raw_input=True)
    except NumberParseException:
        return


def _length_fits(number: PhoneNumber) -> bool:
    return phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE


def is_placeholder(digits: str) -> bool:
    """Returns whether a national number is like 000000000, 123456789 or, after an operator's code, 500000000: all
    buyers who typed it would share one contact. The numbering plan may know it all the same."""
    alike = len(set(digits)) == 1 or (len(digits) > 2 and not digits[2:].strip("0"))
    return alike or digits in "01234567890123456789" or digits in "98765432109876543210"


def _tells_its_country(number: PhoneNumber, region: str | None) -> bool:
    """Returns whether it has a country code, or the region's trunk prefix and all digits of a phone there: 069 123 456
    is too short for Ukraine, 479 123 45 67 may be of any country."""
    if number.country_code_source != CountryCodeSource.FROM_DEFAULT_COUNTRY:
        return True
    trunk = phonenumbers.ndd_prefix_for_region(region or "", True)
    digits = national_significant_number(number)
    whole = bool(trunk) and _DIGITS.sub("", number.raw_input or "") == f"{trunk}{digits}"
    return whole and phonenumbers.is_possible_number_for_type(number, PhoneNumberType.MOBILE)


def _without_trunk_prefix(number: PhoneNumber) -> PhoneNumber:
    """Returns +380 (0)10 … without the zero, which the library keeps if the plan does not know the number."""
    digits = national_significant_number(number)
    shorter = PhoneNumber(country_code=number.country_code, national_number=int(digits))
    trimmed = digits.startswith("0") and len(str(int(digits))) == len(digits) - 1
    return shorter if trimmed and _length_fits(shorter) else number
