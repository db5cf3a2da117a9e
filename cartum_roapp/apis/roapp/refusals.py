"""Reads why RO App refuses a call, from every form of answer that is known (roapp §2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cartum_roapp.apis.masking import MASK, mask
from cartum_roapp.apis.reply import Reply, Unreadable

_PAGE = "an HTML page"
_NAME = re.compile(r"[A-Za-z_][\w.\[\]-]{0,60}")
_LISTED = 8
_COMMENT = re.compile("comment|комент|коммент", re.IGNORECASE)


@dataclass(frozen=True)
class Refusal:
    """`fields` are (name, what is wrong), in RO App's order; `text` is what belongs to none of them."""

    fields: tuple[tuple[str, str], ...] = ()
    text: str = ""

    @property
    def first(self) -> str | None:
        return self.fields[0][0] if self.fields else None

    def mentions(self, field: str) -> bool:
        """Returns whether this field, or a part of it, is among `fields` or named in `text`."""
        named = any(name == field or name.startswith((f"{field}.", f"{field}[")) for name, _ in self.fields)
        return named or field in self.text

    @property
    def asks_for_comment(self) -> bool:
        """Returns whether a comment is asked for, in a field's name or in words; also where nothing readable is said,
        as then it may be that."""
        if not self.fields and self.text in ("", _PAGE):
            return True
        return bool(_COMMENT.search(" ".join((*(name for name, _ in self.fields), self.text))))

    def __str__(self) -> str:
        parts = [f"{name}: {said}" if said else name for name, said in self.fields[:_LISTED]]
        if len(self.fields) > _LISTED:
            parts.append(f"and {len(self.fields) - _LISTED} more fields")
        if self.text and not self.fields:
            parts.append(self.text)
        elif self.text and len(self.text) <= 80:
            parts.insert(0, self.text)
        return "; ".join(parts) or "no reason given"


def read_refusal(reply: Reply, private: Iterable[str] = ()) -> Refusal:
    """Reads `errors`, `validation`, `message`, `error`, `detail` (text, list or object), plain text and HTML. Masks
    phones, e-mail addresses, tokens, and everything in `private`."""
    private = set(private)
    try:
        body = reply.json()
    except Unreadable:
        text = "" if reply.is_html else mask(reply.text(), private)
        return Refusal(text=text or (_PAGE if reply.is_html else ""))
    fields: dict[str, str] = {}
    texts: list[str] = []
    for field, words in _found(body):
        said = mask(words, private)
        if field:
            name = field if _NAME.fullmatch(field) else MASK
            fields[name] = ", ".join(filter(None, dict.fromkeys([fields.get(name, ""), said])))
        elif said and said not in texts:
            texts.append(said)
    return Refusal(tuple(fields.items()), mask("; ".join(texts)))


def _found(body: Any) -> Iterator[tuple[str, str]]:
    """Yields (field or "", words)."""
    if isinstance(body, str):
        yield "", body
    elif isinstance(body, list):
        for part in body:
            yield from _entry("", part)
    elif isinstance(body, dict):
        for key in ("errors", "validation"):
            if body.get(key):
                yield from _entry("", body[key])
        for key in ("message", "error", "detail"):
            value = body.get(key)
            if isinstance(value, dict) and isinstance(value.get("validation"), dict | list):
                yield from _entry("", value["validation"])
            elif isinstance(value, dict) and set(value) & {"errors", "message", "detail"}:
                yield from _found(value)
            elif value:
                yield from _entry("", value)
        if isinstance(body.get("data"), dict):
            yield from _found(body["data"])


def _entry(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        named = next((value[key] for key in ("field", "loc", "param", "property", "path") if value.get(key)), None)
        said = next((value[key] for key in ("message", "msg", "error", "text", "detail") if value.get(key)), "")
        if named is not None and not isinstance(named, dict):
            parts = named if isinstance(named, list) else [named]
            whole = ".".join(str(part) for part in parts if part not in ("body", "query", "path"))
            yield f"{name}.{whole}" if name else whole, said if isinstance(said, str) else ""
            return
        for key, part in value.items():
            yield from _entry(f"{name}.{key}" if name else str(key), part)
    elif isinstance(value, list):
        if not value and name:
            yield name, ""
        for part in value:
            yield from _entry(name, part)
    elif isinstance(value, str):
        yield name, value
    elif name:
        yield name, "" if value is None or isinstance(value, bool) else str(value)
