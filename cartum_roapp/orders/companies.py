"""The company that buys, from `customer_details` of an order.

Only shops with B2B send it, and no source shows what is in it (cartum §2.3): so values are taken by what their keys or
labels mean, in any nesting. What has no known meaning is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cartum_roapp.orders.texts import clean

_COMPANY = {
    "company", "companyname", "companytitle", "organization", "organizationname", "organisation", "organisationname",
    "orgname", "legalname", "legalentity", "firm", "firmname", "компанія", "компания", "назвакомпанії", "організація",
    "организация", "названиекомпании", "назваорганізації", "названиеорганизации", "companie", "denumireacompaniei",
}  # fmt: skip
_REGISTRATION = {
    "edrpou", "egrpou", "okpo", "єдрпоу", "едрпоу", "егрпоу", "кодєдрпоу", "кодедрпоу", "registrationnumber",
    "businessregistrationnumber", "regnumber", "registrationcode", "regcode", "companycode", "companynumber", "idno",
    "cui",
}  # fmt: skip
_TAX = {
    "tax", "taxnumber", "taxid", "taxcode", "taxidentificationnumber", "vat", "vatnumber", "vatid", "vatcode", "ipn",
    "inn", "іпн", "инн", "рнокпп", "drfo", "codfiscal",
}  # fmt: skip
#: People of the shop: what is said of them is no buyer's.
_STAFF = {"manager", "managers", "менеджер", "менеджери", "менеджеры"}
_PHONE = {"phone", "phones", "telephone", "tel", "companyphone", "телефон"}
#: What a company's own object calls its values.
_OWN = {"name": "company", "title": "company", "code": "edrpou", "number": "edrpou", "value": "company"}
#: Whose name that is, only a number beside it tells.
_NAME = {"name", "title", "fullname"}
_DEEPEST = 6
_SHORTEST_NUMBER = 5


@dataclass(frozen=True)
class Company:
    """`name` is "" for a buyer who is no company. `registration` and `tax` are its numbers, `phone` as it was typed."""

    name: str = ""
    registration: str = ""
    tax: str = ""
    phone: str = ""


PRIVATE = Company()


def read_company(details: object) -> Company:
    """Returns what the details say of a company. Raises nothing. Of several values for one meaning the first counts."""
    found: dict[str, str] = {}
    names: list[str] = []
    for key, value in _facts(details, "", 0):
        meaning = _meaning(key, value)
        if meaning:
            found.setdefault(meaning, value)
        elif key in _NAME and _meaning("company", value):
            names.append(value)
    if names and "name" not in found and found.keys() & {"registration", "tax"}:
        found["name"] = names[0]  # beside a company's number a name is the company's
    return Company(**found)


def comparable(number: str) -> str:
    """Returns a company's number without blanks and punctuation, in capitals; "" if it is too short to tell anybody."""
    text = re.sub(r"[\W_]", "", number).upper()
    return text if sum(map(str.isdigit, text)) >= _SHORTEST_NUMBER else ""


def _meaning(key: str, value: str) -> str:
    if key in _COMPANY:
        return "name" if sum(map(str.isalpha, value)) > 1 else ""
    if key in _REGISTRATION:
        return "registration" if comparable(value) else ""
    if key in _TAX:
        return "tax" if comparable(value) else ""
    return "phone" if key in _PHONE else ""


def _facts(value: Any, key: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yields (key, text). A key is in small letters without punctuation; that of `{title, value}` is its title."""
    if depth > _DEEPEST:
        return
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return
    if isinstance(value, dict):
        if "value" in value:
            labels = [_plain(value.get(name)) for name in ("key", "code", "name", "title", "label")]
            known = next((one for one in labels if one in _COMPANY | _REGISTRATION | _TAX | _PHONE), key)
            yield from _facts(value["value"], known, depth + 1)
            return
        for name, part in value.items():
            if _plain(name) in _STAFF:
                continue
            own = _OWN.get(_plain(name), "") if key in _COMPANY else ""
            yield from _facts(part, own or _plain(name), depth + 1)
    elif isinstance(value, list):
        for part in value:
            yield from _facts(part, key, depth + 1)
    elif text := clean(value):
        yield key, text


def _plain(name: object) -> str:
    return re.sub(r"[\W_]", "", clean(name)).casefold()
