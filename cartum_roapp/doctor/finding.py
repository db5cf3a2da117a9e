"""What a look found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: `warning`: nothing is wrong yet, but a person should know.
Verdict = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """`about` names what was looked at; `fix` is empty where nothing is to be done."""

    about: str
    verdict: Verdict
    says: str
    fix: str = ""


def ok(about: str, says: str) -> Finding:
    return Finding(about, "ok", says)


def warning(about: str, says: str, fix: str) -> Finding:
    return Finding(about, "warning", says, fix)


def problem(about: str, says: str, fix: str) -> Finding:
    return Finding(about, "problem", says, fix)
