"""Reads an answer and its JSON within limits of size and depth, so that no answer can exhaust this process.

The size (`LARGEST`) is counted after unpacking: 600 MB of blanks are 600 kB of gzip. A page of 100 orders has up to
395 kB (cartum §2.1), one of 100 products with descriptions up to 6.9 MB (cartum §5.1), and a shop that ignores `limit`
sends thousands of orders at once. 32 MB are four times the largest page that is known, or 8,000 orders.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import orjson

LARGEST = 32 * 1024 * 1024  # bytes
#: The only compression that is asked for. httpx also unpacks other ones, but a whole chunk at once.
ACCEPTED = "gzip"
#: In seconds. A longer wait that is asked for is cut to this. The shop's quota is an hourly one (cartum §1.5), and no
#: run waits in place for so long.
LONGEST_RETRY_AFTER = 2 * 3600.0

_PACKED = ("gzip", "x-gzip", "deflate")
# Python's objects are larger than their JSON: 32 MB of `[],` would take 900 MB. An order has about 150 values.
_MOST_VALUES = 2_000_000
# PHP writes at most 512 levels; proper answers have fewer than ten.
_DEEPEST = 64
_FLAT = 10
_OTHERS = bytes(set(range(256)) - set(b"[]{}"))
# No column holds a number of more digits, and Python refuses to read more than 4,300.
_LONGEST_WHOLE = 20
# Python's other encodings are no charsets, or slow.
_CHARSET = re.compile(r"utf[-_]?(?:8|16|32)|us-ascii|ascii|latin|iso[-_]?8859|windows-|cp\d|koi8", re.IGNORECASE)
_UTF_8 = "utf-8-sig"
_CODE = re.compile(r"[0-9]{1,9}", re.ASCII)
_FIRST_ERROR, _PAST_HTTP = 400, 600
_WORDS = {"", "ok", "okay", "done", "success", "accepted", "saved", "updated", "created", "changed"}


class Unreadable(ValueError):
    """The answer arrived, but its content is not as expected."""


def error_code(content: Any) -> int | None:
    """Returns None unless this JSON reports an error, though it may have come with HTTP 200; otherwise the error's code
    (400 to 599), 0 without one.

    An object reports an error if its `success` is false. It also does with an `error`, an `errors` or a `code` from
    400 on, unless it has an `id` or `data`: that is a row or what holds one, and a product's `code` may be 404. The
    object in `data`, and a list of one object, are looked at in the same way."""
    if isinstance(content, list):
        return error_code(content[0]) if len(content) == 1 else None
    if not isinstance(content, dict):
        return None
    code = _code(content)
    if str(content.get("success")).lower() in ("false", "0"):
        return code
    if content.get("id"):
        return None
    if content.get("data"):
        return error_code(content["data"]) if isinstance(content["data"], dict) else None
    if code or content.get("error") or content.get("errors") or _number(content.get("code")) >= _FIRST_ERROR:
        return code
    return None


def _code(content: dict[str, Any]) -> int:
    parts = [content, *(part for name in ("error", "errors") if isinstance(part := content.get(name), dict))]
    codes = [part.get("code") for part in parts]
    return next((code for code in map(_number, codes) if _FIRST_ERROR <= code < _PAST_HTTP), 0)


def _number(value: Any) -> int:
    return int(value) if not isinstance(value, bool) and _CODE.fullmatch(str(value)) else 0


@dataclass(frozen=True)
class Reply:
    """An answer. `status` is the HTTP code; `unread` says why the body was not read, "" if it was. `code` is the
    error's code that the body names in spite of a successful HTTP code, 0 if it names none."""

    status: int
    headers: httpx.Headers
    content: bytes
    unread: str = ""
    code: int = 0

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def outcome(self) -> str:
        """The HTTP code, the code in the body, and why there is no content, for messages."""
        return ", ".join(filter(None, [f"HTTP {self.status}", f"code {self.code}" if self.code else "", self.unread]))

    @property
    def meaning(self) -> int:
        """The HTTP code that this answer amounts to."""
        return self.code or self.status

    @property
    def redirects(self) -> bool:
        return 300 <= self.status < 400 and self.status != 304

    @property
    def is_html(self) -> bool:
        return "html" in self.headers.get("content-type", "").lower() or self.content.lstrip()[:1] == b"<"

    @property
    def says_nothing(self) -> bool:
        """True for an empty body and for a single word like `OK`. Any other text may report a failure."""
        return not self.unread and is_word_of_success(self.text())

    def text(self) -> str:
        """Returns the body in its declared charset, otherwise in UTF-8. Never raises."""
        charset = httpx.Response(200, headers=self.headers).charset_encoding or ""
        try:
            return self.content.decode(charset if _CHARSET.match(charset) else _UTF_8, errors="replace")
        except (LookupError, ValueError):
            return self.content.decode(_UTF_8, errors="replace")

    def json(self) -> Any:
        """Returns the body as JSON, which may begin with a byte-order mark. Raises Unreadable for anything else, also
        for an empty body. A whole number of more than 20 digits, which no column can hold, becomes a float."""
        if self.unread:
            raise Unreadable(self.unread)
        if self.content.count(b",") > _MOST_VALUES:
            raise Unreadable(f"more than {_MOST_VALUES} values")
        content = _parsed(self.text().lstrip("\ufeff"))
        if not _is_flat(self.content) and _is_deep(content):
            raise Unreadable(f"JSON of more than {_DEEPEST} levels")
        return content

    def retry_after(self) -> float | None:
        """Returns the seconds that the Retry-After header (a number or an HTTP date) asks for, at most
        LONGEST_RETRY_AFTER; None without a usable one."""
        value = self.headers.get("retry-after", "").strip()
        if not value:
            return None
        try:
            seconds = float(value)
        except ValueError:
            try:
                when = parsedate_to_datetime(value)
                seconds = (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
            except (TypeError, ValueError, OverflowError):
                return None
        return min(seconds, LONGEST_RETRY_AFTER) if 0 < seconds < float("inf") else None


def is_word_of_success(text: str) -> bool:
    """True also for a text without any word."""
    return text.strip("\ufeff \t\r\n.!").casefold() in _WORDS


async def receive(response: httpx.Response) -> Reply:
    """Returns the answer with its body. The connection can be used again, unless the body was too large."""
    unpack = None
    if response.headers.get("content-encoding", "").strip().lower() in _PACKED:
        unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)  # reads the headers of gzip and of deflate
    content, unread = bytearray(), ""
    try:
        async for part in response.aiter_raw():
            content += part if unpack is None else unpack.decompress(part, LARGEST + 1 - len(content))
            if len(content) > LARGEST:
                unread = f"more than {LARGEST // 1024**2} MB"
                break
    except zlib.error:
        unread = "broken gzip"
    finally:
        await response.aclose()
    return Reply(response.status_code, response.headers, b"" if unread else bytes(content), unread)


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_WHOLE else float(digits)


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:  # also for what is no JSON by the letter, but is sent: NaN, half of a surrogate pair
        try:
            return json.loads(text, parse_int=_whole)
        except (ValueError, RecursionError) as error:
            raise Unreadable("no JSON") from error


def _is_flat(content: bytes) -> bool:
    """Returns whether the JSON has at most some levels, as far as that shows without reading it; brackets in texts may
    hide it."""
    brackets = content.translate(None, _OTHERS)
    for _ in range(_FLAT):
        if not brackets:
            return True
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return not brackets


def _is_deep(content: Any) -> bool:
    level = [content]
    for _ in range(_DEEPEST + 1):
        level = [
            part
            for value in level
            if isinstance(value, dict | list)
            for part in (value.values() if isinstance(value, dict) else value)
            if isinstance(part, dict | list)
        ]
        if not level:
            return False
    return True
