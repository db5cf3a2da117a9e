"""The letters that stand for a shop in RO App."""

from __future__ import annotations

import hashlib
from urllib.parse import urlsplit


def shop_key(url: str) -> str:
    """Six letters a–z that stand for the shop in every marker it leaves in RO App.

    Derived from the host name alone (with the port where it is not the scheme's own), so a shop that is
    added again, from whatever ledger, finds its own orders. Kept in the shop's block: a later change of
    the URL does not change it.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    if parts.port not in (None, {"http": 80, "https": 443}.get(parts.scheme)):
        host = f"{host}:{parts.port}"
    number = int.from_bytes(hashlib.sha256(host.encode()).digest()[:8])
    letters = ""
    for _ in range(6):
        number, digit = divmod(number, 26)
        letters += chr(ord("a") + digit)
    return letters
