"""What travels: requests, answers, and the log of the calls that arrived."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json; charset=utf-8"
PAGE = "text/html; charset=utf-8"
CHALLENGE = (
    "<!DOCTYPE html><html><head><script>function c(){document.cookie='challenge_passed='+Math.random();"
    "location.reload();}</script></head><body onload='c()'><noscript>Enable JavaScript</noscript></body></html>"
)


@dataclass(slots=True)
class Call:
    """One call that arrived. `status` 0: the connection was closed without an answer. `at`: time.time();
    `arrived`: time.monotonic(). `headers`: names in lower case. `written`: the call changed something."""

    method: str
    path: str
    query: list[tuple[str, str]]
    body: Any
    at: float
    arrived: float
    headers: dict[str, str]
    status: int = 0
    account: int = 0
    fault: str = ""
    written: bool = False


@dataclass(slots=True)
class Answer:
    status: int
    body: bytes
    content_type: str = JSON
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


@dataclass(slots=True)
class Request:
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes


def json_answer(value: Any, status: int = 200) -> Answer:
    return Answer(status, dumps(value))


def page_answer(text: str, status: int = 200) -> Answer:
    return Answer(status, text.encode(), PAGE)


def dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def nested_form(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Form or query pairs as PHP reads them: `ids[]=1&ids[]=2`, `expr[article][]=A`."""
    result: dict[str, Any] = {}
    for name, value in pairs:
        keys = [name.split("[")[0], *re.findall(r"\[([^\]]*)\]", name)]
        place: dict[str, Any] = result
        for given, following in zip(keys, [*keys[1:], None], strict=True):
            key = given or str(len(place))
            if following is None:
                place[key] = value
            else:
                place = place.setdefault(key, {}) if isinstance(place.get(key, {}), dict) else {}
    return {key: _listed(value) for key, value in result.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _listed(item) for key, item in value.items()}
    return list(inner.values()) if all(key.isdigit() for key in inner) else inner
