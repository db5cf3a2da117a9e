"""How a rule says no, and the rules that every kind of value shares."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from cartum_roapp.control import shown as without_control
from cartum_roapp.errors import with_fix

BIGGEST_ID = 2**63 - 1


class Refused(ValueError):
    """A value breaks the rule of its field. It never leaves the connect part: pydantic turns it into its
    own error, everything else into a Problem."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(with_fix(message, fix))
        self.message = message
        self.fix = fix


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


def text(value: object, longest: int) -> str:
    """One line of text without blanks around it, 1 to `longest` characters."""
    if not isinstance(value, str):
        fix = "put it in quotes" if isinstance(value, bool | int | float) else "write one line of text"
        raise Refused(f"must be text, this is {kind_of(value)}.", fix)
    value = value.strip()
    if "\n" in value or "\t" in value or without_control(value) != value:
        raise Refused("has a line break or a control character in it.", "write it on one line")
    if len(value) > longest:
        raise Refused(f"has {len(value)} characters, at most {longest} fit.", "shorten it")
    return value


def whole_number(value: object, lowest: int = 1, highest: int = BIGGEST_ID) -> int:
    """A whole number in range; digits in quotes are refused, they would hide a slip elsewhere."""
    if isinstance(value, str) and value.strip().isdecimal():
        raise Refused("must be a whole number, this is text.", "write the number without quotes")
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(f"must be a whole number, this is {kind_of(value)}.", "write digits only")
    if not lowest <= value <= highest:
        if highest == BIGGEST_ID:
            raise Refused("is not an id that can exist.", "write a whole number from 1 up")
        raise Refused(f"is {value}, out of range.", f"write a number from {lowest} to {highest}")
    return value


def one_of(value: object, choices: Iterable[str]) -> str:
    """One of the words, exactly; a near miss is named."""
    words = list(choices)
    listed = ", ".join(words)
    if not isinstance(value, str):
        raise Refused(f"must be one of {listed}; this is {kind_of(value)}.", f"write one of {listed}")
    word = value.strip()
    if word not in words:
        near = closest(word, words)
        raise Refused(f'"{shown(word)}" is unknown.', f"write {near}" if near else f"write one of {listed}")
    return word


def closest(word: str, words: Iterable[str]) -> str | None:
    """The one of `words` that a person most likely meant."""
    by_folded = {known.casefold(): known for known in words}
    match = difflib.get_close_matches(word.casefold(), list(by_folded), n=1, cutoff=0.7)
    return by_folded[match[0]] if match else None


def shown(word: str) -> str:
    """A typed word, short enough for a message."""
    return word if len(word) <= 40 else word[:37] + "…"
