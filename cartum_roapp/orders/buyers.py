"""The identity of a buyer, which all orders of one buyer share (cartum §4.2)."""

from __future__ import annotations

import re

from cartum_roapp.orders.companies import PRIVATE, Company, comparable
from cartum_roapp.orders.phones import is_placeholder
from cartum_roapp.orders.texts import clean

_LONGEST = 254  # RFC 5321
_EMAIL = re.compile(r"[^@\s<>()\"]+@[^@\s.<>()]+(?:\.[^@\s.<>()]+)+")
#: What people type who have no address, or keep it to themselves, without hyphens.
_NOBODY = {
    "anonymous", "asdf", "donotreply", "nema", "nemae", "netu", "no", "nobody", "noemail", "nomail", "none", "noreply",
    "null", "qwerty", "test", "unknown", "xxx",
}  # fmt: skip


def email(value: object, shop: str = "") -> str:
    """Returns the first usable address in lower case; "" if there is none. One that identifies nobody is not usable.
    `shop`: the host of the shop, whose own addresses are no buyer's."""
    for part in re.split(r"[,;\s]+", clean(value).lower()):
        address = part.removeprefix("mailto:").strip("<>.")
        if len(address) <= _LONGEST and _EMAIL.fullmatch(address) and not _is_nobodys(address, shop):
            return address
    return ""


def _is_nobodys(address: str, shop: str) -> bool:
    """Returns whether it is one like no@no.no, test@gmail.com, x@noemail.com or 123@ukr.net, or the shop's own: all
    buyers with it would share one contact."""
    local, _, domain = address.partition("@")
    named = {re.sub(r"[-_.]", "", local), *domain.split(".")[:-1]}
    digits = local.isdecimal() and is_placeholder(local)
    return digits or not named.isdisjoint(_NOBODY) or domain.removeprefix("www.") == shop.removeprefix("www.")


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
