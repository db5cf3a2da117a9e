"""Cartum's answers: `{status, response}` (cartum §1.2, §1.3, §1.5).

The HTTP code alone says little: a refused token, a used-up quota and an unknown function may all come with HTTP 200.
Only OK, EMPTY and WARNING mean success. An unknown word is an error, never "no data".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from cartum_roapp.apis.reply import LONGEST_RETRY_AFTER, Reply, Unreadable, error_code

SUCCESS = frozenset({"OK", "EMPTY", "WARNING"})
KNOWN = SUCCESS | {
    "ERROR",
    "EXCEPTION",
    "UNAUTHORIZED",
    "UNDEFINED_FUNCTION",
    "HTTP_ERROR",
    "AUTHORIZATION_ERROR",
    "AUTH_ERROR",
}
_TOKEN_WORDS = frozenset({"UNAUTHORIZED", "AUTHORIZATION_ERROR", "AUTH_ERROR"})
_TOKEN_TEXT = re.compile(r"auth required|unauthori[sz]ed|\btoken\b|токен|не авторизован", re.IGNORECASE)
_QUOTA_TEXT = re.compile(r"requests? limit has been exceeded", re.IGNORECASE)
_QUOTA_SECONDS = re.compile(r"(?:retry after|через)\D{0,12}(\d+(?:\.\d+)?)", re.IGNORECASE)
_CODE = re.compile(r"[0-9]{1,9}")
_RIGHTS_TEXT = re.compile(
    r"permission|(?:access|request) (?:is |was )?denied|forbidden|not allowed|\bno rights"
    r"|(?:немає|недостатньо|нет|недостаточно|без) (?:прав|доступ)"
    r"|\bдоступ\w* (?:заборонен|запрещ|закрит|закрыт)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Envelope:
    """One answer. `status` is the status word, "" if the body is no envelope; `http` is the HTTP code; `is_foreign`
    means that the body is complete and readable, but no shop's; `asked_to_wait` is in seconds."""

    http: int
    status: str
    response: Any
    is_html: bool = False
    is_foreign: bool = False
    asked_to_wait: float | None = None

    @property
    def ok(self) -> bool:
        return self.status in SUCCESS and 200 <= self.http < 300

    @property
    def message(self) -> str:
        """The shop's own text, or ""."""
        if isinstance(self.response, dict):
            for key in ("message", "error", "messages"):
                if isinstance(text := self.response.get(key), str) and text.strip():
                    return text.strip()
        return self.response.strip() if isinstance(self.response, str) else ""

    @property
    def code(self) -> int:
        """The number in `response.code`, which an HTTP_ERROR has; otherwise the HTTP code."""
        value = self.response.get("code") if isinstance(self.response, dict) else None
        return int(found[0]) if (found := _CODE.fullmatch(str(value))) else self.http

    @property
    def refuses_token(self) -> bool:
        """True for every known form of "this token is expired or unknown" (cartum §1.3)."""
        if self.status in _TOKEN_WORDS:
            return True
        if self.status in SUCCESS:
            return False
        if self.http == 401 or (self.status == "HTTP_ERROR" and self.code == 401):
            return True
        return self.status in ("ERROR", "HTTP_ERROR") and bool(_TOKEN_TEXT.search(self.message))

    @property
    def over_quota(self) -> bool:
        """True if the hourly quota of requests is used up: HTTP 429, or a body that says so (cartum §1.5)."""
        if self.status in SUCCESS and self.http != 429:
            return False
        return self.http == 429 or self.code == 429 or bool(_QUOTA_TEXT.search(self.message))

    @property
    def quota_seconds(self) -> float | None:
        """The seconds to wait that the shop's message names, otherwise those of Retry-After; at most
        LONGEST_RETRY_AFTER."""
        found = _QUOTA_SECONDS.search(self.message)
        return min(float(found.group(1)), LONGEST_RETRY_AFTER) if found else self.asked_to_wait

    @property
    def speaks_of_rights(self) -> bool:
        return self.status in ("ERROR", "HTTP_ERROR") and bool(_RIGHTS_TEXT.search(self.message))

    @property
    def lacks_rights(self) -> bool:
        """True if the account may log in, but its role does not allow this read (cartum §1.1)."""
        return self.speaks_of_rights or (self.status in ("ERROR", "HTTP_ERROR") and self.code == 403)

    def rows(self, key: str) -> list[dict[str, Any]] | None:
        """Returns the rows under `response[key]`: a list, or the values of an object keyed by id (PHP sends both). `[]`
        and `{}` mean no rows. Returns None if there is no such list."""
        if self.status == "EMPTY":
            return []
        response = self.response
        if response in ([], {}):
            return []
        found = response.get(key) if isinstance(response, dict) else None
        if isinstance(found, dict):
            if found and not any(isinstance(value, dict) for value in found.values()):
                return None
            found = list(found.values())
        if not isinstance(found, list):
            return None
        return [row if isinstance(row, dict) else {"unreadable": type(row).__name__} for row in found]


def read_envelope(reply: Reply) -> Envelope:
    """Returns the Envelope of any answer. An HTML page, incomplete JSON and foreign JSON have the status ""."""
    readable = True
    try:
        body = reply.json()
    except Unreadable:
        body, readable = None, False
    status, response = "", None
    if isinstance(body, dict) and isinstance(body.get("status"), str):
        status, response = body["status"].strip(), body.get("response")
        if status in SUCCESS:
            for part in (body, response):
                if (code := error_code(part)) is not None:
                    status, response = (
                        ("HTTP_ERROR", {"message": _message(part), "code": code})
                        if code
                        else ("ERROR", {"message": _message(part)})
                    )
                    break
    return Envelope(
        http=reply.status,
        status=status,
        response=response,
        is_html=not readable and reply.is_html,
        is_foreign=not status and (readable or reply.content.strip()[:1] not in (b"", b"{", b"[")),
        asked_to_wait=reply.retry_after(),
    )


def _message(part: Any) -> str:
    if isinstance(part, dict):
        said = (_message(part.get(name)) for name in ("message", "messages", "error", "errors", "response"))
        return next((text for text in said if text), "")
    if isinstance(part, list):
        return "; ".join(filter(None, map(_message, part)))
    return part.strip() if isinstance(part, str) else ""
