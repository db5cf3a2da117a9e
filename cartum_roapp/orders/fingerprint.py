"""How an unchanged order is recognised: by the hash of what it says, so that an idle run writes nothing (design §2,
P3), and by the digest of the shop's row, so that a row that came before is not read again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import orjson
import phonenumbers

VERSION = 2  # with another number every order of every shop is compared with what is stored


def order_hash(content: Sequence[object], lines: Iterable[tuple[str, Decimal, Decimal]]) -> str:
    """Returns the SHA-256 (hex) of an order's values and of its lines' (product, price, quantity) in any order.

    Values are text, int, bool, None, aware datetimes, and Decimals in canonical form (`amounts`), so that 600, "600"
    and "600.00" are equal. Titles of lines with an article, the catalogue and the parcel's tracking are left out, as
    they change without the order.
    """
    texts = sorted((product, str(price), str(quantity)) for product, price, quantity in lines)
    return hashlib.sha256(_JSON.encode([VERSION, content, texts]).encode()).hexdigest()


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    raise TypeError(f"{type(value).__name__} has no canonical form")


_JSON = json.JSONEncoder(separators=(",", ":"), default=_text)


class RowDigests:
    """Digests of raw rows. Other `settings` of the shop, or another version of the code that reads rows, make other
    digests."""

    def __init__(self, *settings: object) -> None:
        self._key = hashlib.blake2b(f"{_code()} {settings!r}".encode(), digest_size=32).digest()

    def over(self, row: object) -> Callable[[str, int], str]:
        """Returns what makes the row's digest, as it is stored beside this hash and status of its order."""
        read = hashlib.blake2b(as_bytes(row), key=self._key, digest_size=15)

        def digest(hash_: str, status: int) -> str:
            whole = read.copy()
            whole.update(f" {hash_} {status}".encode())
            return whole.hexdigest()

        return digest


def as_bytes(row: object) -> bytes:
    """Returns the row as JSON with its keys in order; the same for equal rows."""
    try:
        return orjson.dumps(row, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # what JSON may have, but orjson does not take: huge integers, half of a surrogate pair
        return json.dumps(row, sort_keys=True, default=str).encode()


@cache
def _code() -> str:
    """Returns the digest of the code that makes orders of rows, with the version of the numbering plans."""
    here = Path(__file__).parent
    files = sorted([*here.glob("*.py"), here.parent / "sync" / "transform.py"])
    read = b"".join(file.read_bytes() for file in files) + phonenumbers.__version__.encode()
    return hashlib.blake2b(read, digest_size=16).hexdigest()
