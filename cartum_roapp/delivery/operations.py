"""What is to be done to one order in RO App. An operation is one call, which sets absolute values or adds one thing;
comments take a call each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cartum_roapp.delivery.decision import Change
from cartum_roapp.orders.pricing import PricedLine


@dataclass(frozen=True)
class SetFields:
    """Fields of the order."""

    changes: tuple[Change, ...]


@dataclass(frozen=True)
class SetStatus:
    """Its status."""

    changes: tuple[Change]


@dataclass(frozen=True)
class AddLine:
    """A new line, `part` of those of its product; `entity` is RO App's product, of which the lines `beside` were there
    before the first try. `repeats`: so many earlier tries had no answer, and RO App does not show it."""

    line: PricedLine
    part: int
    entity: int
    repeats: int = 0
    beside: tuple[int, ...] = ()


@dataclass(frozen=True)
class SetLine:
    """Price and quantity, as far as named, of RO App's line `item`."""

    item: int
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class SendComments:
    """The comments that are noted and not sent yet."""


Operation = SetFields | SetStatus | AddLine | SetLine | SendComments


class Problem(StrEnum):
    """What a person has to fix."""

    STATUS_UNMATCHED = "status-unmatched"
    STATUS_DIFFERS = "status-differs"
