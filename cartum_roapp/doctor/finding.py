"""What a look found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: `look`: nothing is wrong yet, but a person should know.
Verdict = Literal["well", "look", "wrong"]


@dataclass(frozen=True)
class Finding:
    """`about` names what was looked at; `fix` is empty where nothing is to be done."""

    about: str
    verdict: Verdict
    says: str
    fix: str = ""


def well(about: str, says: str) -> Finding:
    return Finding(about, "well", says)


def look(about: str, says: str, fix: str) -> Finding:
    return Finding(about, "look", says, fix)


def wrong(about: str, says: str, fix: str) -> Finding:
    return Finding(about, "wrong", says, fix)
