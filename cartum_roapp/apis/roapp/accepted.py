"""Reads what RO App answers to a write that it accepted (roapp §3.2, §7): only an id is known, bare or wrapped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cartum_roapp.apis.reply import Unreadable, is_word_of_success
from cartum_roapp.apis.roapp.values import whole


def accept(content: Any) -> int | None:
    """Returns the id of a row that was made or changed, None if the answer lacks it: nothing, true, a word of success,
    or an object. Raises Unreadable for anything else: another text, false, a list of several, or an object that says
    something and has no row, as that may be a refusal (roapp §2)."""
    row = content[0] if isinstance(content, list) and len(content) == 1 else content
    if found := _find(row, ("id", "item_id", "order_item_id")):
        return found
    if isinstance(row, dict):
        said = [row.get(name) for name in ("message", "detail")]
        if row.get("data") or all(not text or is_word_of_success(str(text)) for text in said):
            return None
    elif row is None or row is True or row == [] or (isinstance(row, str) and is_word_of_success(row)):
        return None
    raise Unreadable("neither an id nor a success")


def new_id(names: tuple[str, ...]) -> Callable[[Any], int]:
    """Returns a reader of `5`, `"5"`, `{id}`, `{data: 5}` and `{data: {…}}`, in which the id has one of `names`. It
    raises Unreadable for anything else."""

    def read(content: Any) -> int:
        found = _find(content, names)
        if found is None:
            raise Unreadable("no id")
        return found

    return read


def _find(content: Any, names: tuple[str, ...]) -> int | None:
    """Raises Unreadable where an error stands beside the row: it may be written or not."""
    if isinstance(content, dict):
        if content.get("error") or content.get("errors"):
            raise Unreadable("an error beside a row")
        for name in names:
            if found := whole(content.get(name)):
                return found
        return _find(content["data"], names) if isinstance(content.get("data"), dict | int | str | list) else None
    if isinstance(content, list):
        return _find(content[0], names) if len(content) == 1 else None
    return whole(content) or None
