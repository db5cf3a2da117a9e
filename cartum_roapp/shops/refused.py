"""How a rule says no, in words for the person who typed the value."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Self

from pydantic_core import PydanticCustomError


class Refused(PydanticCustomError):
    """A value breaks the rule of its field. One of pydantic's own errors, with `reason` and `fix` in its context;
    without a fix, the field's own is said."""

    def __new__(cls, reason: str, fix: str = "") -> Self:
        return super().__new__(cls, "refused", "{reason} Fix: {fix}", {"reason": reason, "fix": fix})

    @property
    def reason(self) -> str:
        return str((self.context or {})["reason"])

    @property
    def fix(self) -> str:
        return str((self.context or {})["fix"])


def kind_of(value: object) -> str:
    """What a person would call this kind of value."""
    if isinstance(value, bool):
        return "true/false (YAML reads yes, no, on, off so)"
    if isinstance(value, int | float):
        return "a number" if isinstance(value, int) else "a number with a fraction"
    if isinstance(value, str):
        return "text"
    if isinstance(value, list | tuple | set | frozenset):
        return "a list"
    return "a mapping" if isinstance(value, dict) else "something else"


def closest(word: str, words: Iterable[str]) -> str | None:
    """The one of `words` that a person most likely meant."""
    by_folded = {known.casefold(): known for known in words}
    match = difflib.get_close_matches(word.casefold(), list(by_folded), n=1, cutoff=0.7)
    return by_folded[match[0]] if match else None


def shortened(word: str) -> str:
    """A typed word, short enough for a message."""
    return word if len(word) <= 40 else word[:37] + "…"
