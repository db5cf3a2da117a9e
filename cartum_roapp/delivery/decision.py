"""One value of an order, a status, a quantity or a text alike: what was agreed, what the shop has, what RO App shows,
and what is to be done about it. All functions are pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cartum_roapp.ledger.agreed import Agreed, Value


@dataclass(frozen=True)
class Given:
    """The shop's value, and what the present settings make of it; `made` is None where they make nothing of it."""

    shop: Value
    made: Value


@dataclass(frozen=True)
class Change:
    """RO App's value `name` is to become `made`, which stands for the shop's value `shop`."""

    name: str
    shop: Value
    made: Value


def decide(given: Given, agreed: Agreed, seen: Value) -> Value:
    """Returns the value that RO App has to have; that is `seen` where it may stay. To be called when no call of ours
    can still arrive: what is in `ours` has arrived by then, or never will."""
    if given.shop != agreed.shop:  # the shop changed it since it was carried
        return given.made
    if seen in agreed.ours and seen not in (agreed.shown, given.made):  # a lost call has arrived: it is taken back
        return agreed.sent
    return seen  # as agreed, or as staff set it


def compare(name: str, given: Given, agreed: Agreed, seen: Value) -> tuple[Agreed, Change | None]:
    """Returns what is known of the value now that RO App shows `seen`, and how it has to change, or None."""
    made = decide(given, agreed, seen)
    if made != seen:  # until then what is known stays known: the shop may take it back
        return agreed, Change(name, given.shop, made)
    if given.shop != agreed.shop:
        return Agreed(given.shop, given.made, seen), None
    return replace(agreed, shown=seen, ours=frozenset()), None
