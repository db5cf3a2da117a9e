"""The identity of a buyer, which all orders of one buyer share (cartum §4.2)."""

from __future__ import annotations

import re

from cartum_roapp.orders.companies import PRIVATE, Company, comparable
from cartum_roapp.orders.texts import clean

_LONGEST = 254  # RFC 5321
_EMAIL = re.compile(r"[^@\s<>()\"]+@[^@\s.<>()]+(?:\.[^@\s.<>()]+)+")


def email(value: object) -> str:
    """Returns the first usable address in lower case; "" if there is none."""
    for part in re.split(r"[,;\s]+", clean(value).lower()):
        address = part.removeprefix("mailto:").strip("<>.")
        if len(address) <= _LONGEST and _EMAIL.fullmatch(address):
            return address
    return ""


def identity(phone: str, email: str, number: str, company: Company = PRIVATE) -> str:
    """Returns "phone:+380…", otherwise "email:a@b", otherwise "order:<number>": a buyer with neither has one order.
    That of a company is "company:<its number>", of one without a number "company:" with its phone or e-mail: who buys
    for it may be a private buyer as well.

    `user` of the row is no identity: nearly every guest order has its own (cartum §2.3).
    """
    if company.name:
        known = comparable(company.registration) or comparable(company.tax) or phone or email
        return f"company:{known}" if known else f"order:{number}"
    if phone:
        return f"phone:{phone}"
    return f"email:{email}" if email else f"order:{number}"
