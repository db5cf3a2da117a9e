"""One difference between shop, ledger and RO App: its kind, what is to be done about it, how it ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pandas as pd


class Difference(StrEnum):
    """The kinds of difference, by their names in reports and scripts."""

    # between shop and ledger
    MISSING_IN_LEDGER = "missing-in-ledger"
    CHANGED_IN_SHOP = "changed-in-shop"
    SUM_DIFFERS_IN_LEDGER = "sum-differs-in-ledger"
    NOT_IN_SHOP = "not-in-shop"
    UNREADABLE_IN_SHOP = "unreadable-in-shop"
    # in the ledger alone
    NOT_QUEUED = "not-queued"
    HELD_WITHOUT_REASON = "held-without-reason"
    # between ledger and RO App
    MISSING_IN_ROAPP = "missing-in-roapp"
    BACK_IN_ROAPP = "back-in-roapp"
    BINDING_LOST = "binding-lost"
    DOUBLED_IN_ROAPP = "doubled-in-roapp"
    MARKER_MISSING = "marker-missing"
    MARKER_ELSEWHERE = "marker-elsewhere"
    MARKER_OF_NOBODY = "marker-of-nobody"
    LINES_UNBOUND = "lines-unbound"
    EDITED_IN_ROAPP = "edited-in-roapp"


#: Repaired by storing the shop's row again.
STORED = frozenset({Difference.MISSING_IN_LEDGER, Difference.CHANGED_IN_SHOP, Difference.SUM_DIFFERS_IN_LEDGER})
#: Repaired by another delivery, which checks everything in RO App that the ledger does not know for sure.
REQUEUED = frozenset(
    {
        Difference.NOT_QUEUED,
        Difference.HELD_WITHOUT_REASON,
        Difference.BACK_IN_ROAPP,
        Difference.BINDING_LOST,
        Difference.MARKER_MISSING,
        Difference.LINES_UNBOUND,
    }
)
#: Held for a person.
HELD = frozenset({Difference.UNREADABLE_IN_SHOP, Difference.MISSING_IN_ROAPP, Difference.DOUBLED_IN_ROAPP})

_TO_DO = {
    Difference.MISSING_IN_LEDGER: "store it, search RO App for its marker, then deliver it",
    Difference.CHANGED_IN_SHOP: "store and deliver the change",
    Difference.SUM_DIFFERS_IN_LEDGER: "store the shop's lines again and deliver them",
    Difference.NOT_IN_SHOP: "check again; after two runs without it, it counts as deleted, and RO App's notes say so",
    Difference.UNREADABLE_IN_SHOP: "correct the order in the shop",
    Difference.NOT_QUEUED: "queue it again",
    Difference.HELD_WITHOUT_REASON: "try it again, so that its reason is known",
    Difference.MISSING_IN_ROAPP: "compare with repair, which holds it; then dismiss it if it was deleted there on "
    "purpose, otherwise create it again",
    Difference.BACK_IN_ROAPP: "release it",
    Difference.BINDING_LOST: "bind it again by its marker",
    Difference.DOUBLED_IN_ROAPP: "keep one and delete the others in RO App by hand",
    Difference.MARKER_MISSING: "put the marker back at the start of the notes",
    Difference.MARKER_ELSEWHERE: "put its own marker back at the start of the notes in RO App by hand",
    Difference.MARKER_OF_NOBODY: "take the marker out of the notes in RO App, or delete that order by hand",
    Difference.LINES_UNBOUND: "match its lines with RO App's again, and bring them to what the shop has",
    Difference.EDITED_IN_ROAPP: "nothing, if staff meant it. Otherwise send the order again: on its page in the "
    "console, or with `cartum-roapp order resend`. The edit stays until the shop changes the line. It is reported once",
}


@dataclass(frozen=True)
class Finding:
    """One order that differs. `day` (YYYY-MM-DD, in the shop's time) is when it was created in the shop, "" if unknown.
    Sums are its totals as RO App has to show them (`sides`), None for a side that lacks the order or was not read.
    `roapp_numbers`: of each of `roapp_ids` the number that people see in RO App, "" if it is not known.
    `outcome`: reported, repaired, held, or waiting for delivery."""

    number: str
    day: str
    what: Difference
    shop_sum: Decimal | None = None
    ledger_sum: Decimal | None = None
    roapp_sum: Decimal | None = None
    roapp_ids: tuple[int, ...] = ()
    roapp_numbers: tuple[str, ...] = ()
    outcome: str = "reported"

    @property
    def to_do(self) -> str:
        return _TO_DO[self.what]

    def as_dict(self) -> dict[str, Any]:
        """Returns the finding for JSON. Sums are text with two decimals, or None."""
        return {
            "number": self.number,
            "day": self.day,
            "what": str(self.what),
            "shop_sum": _text(self.shop_sum),
            "ledger_sum": _text(self.ledger_sum),
            "roapp_sum": _text(self.roapp_sum),
            "roapp_ids": list(self.roapp_ids),
            "roapp_numbers": list(self.roapp_numbers),
            "to_do": self.to_do,
            "outcome": self.outcome,
        }


def numbers(findings: Iterable[Finding], whats: Collection[Difference]) -> list[str]:
    """Returns the numbers of the orders with one of these differences, each once."""
    return list(dict.fromkeys(one.number for one in findings if one.what in whats))


@dataclass
class Report:
    """What a reconciliation found. `compared`: which orders, in a sentence. `days`, `currencies`: see `sides.by_day`
    and `by_currency`. `unchecked`: how many orders were not read again in RO App, as a run reads only a limited number.
    `warnings`: sentences about the whole reconciliation."""

    findings: list[Finding] = field(default_factory=list)
    days: pd.DataFrame = field(default_factory=pd.DataFrame)
    currencies: pd.DataFrame = field(default_factory=pd.DataFrame)
    compared: str = ""
    unchecked: int = 0
    warnings: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "findings": [one.as_dict() for one in self.findings],
            "outcomes": dict(Counter(one.outcome for one in self.findings)),
            "days": _documents(self.days),
            "currencies": _documents(self.currencies),
            "compared": self.compared,
            "unchecked": self.unchecked,
            "warnings": self.warnings,
        }


def _documents(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows: Sequence[dict[str, Any]] = frame.to_dict("records")  # type: ignore[assignment]
    return [{name: _text(cell) if name.endswith("sum") else cell for name, cell in row.items()} for row in rows]


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.2f}"
