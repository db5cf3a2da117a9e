"""Who ordered: the identity by which the orders of one buyer meet (cartum §4.2)."""

from __future__ import annotations

import re

from cartum_roapp.orders.texts import clean

_LONGEST = 254  # RFC 5321
_EMAIL = re.compile(r"[^@\s<>()\"]+@[^@\s.<>()]+(?:\.[^@\s.<>()]+)+")


def email(value: object) -> str:
    """The address in lower case, or "" when there is no usable one. Of several, the first usable."""
    for part in re.split(r"[,;\s]+", clean(value).lower()):
        address = part.removeprefix("mailto:").strip("<>.")
        if len(address) <= _LONGEST and _EMAIL.fullmatch(address):
            return address
    return ""


def identity(phone: str, email: str, number: str) -> str:
    """ "phone:+380…", else "email:a@b", else "order:<number>": a buyer who left neither is met once only.

    `user` of the row is no identity: nearly every guest order has its own (cartum §2.3).
    """
    if phone:
        return f"phone:{phone}"
    return f"email:{email}" if email else f"order:{number}"
