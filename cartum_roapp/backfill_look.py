"""A dry run that a person has looked at: its orders with a digest of what would be done with each, and which of them a
later plan would still treat alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from json import dumps
from typing import Any

from cartum_roapp.backfill_words import what
from cartum_roapp.sync.selection import Selection

#: With these actions a real run would do something.
_DONE = ("create", "adopt", "change")
#: What is done with an order, as far as the digest goes: no more than the plan shows.
_COMPARED = ("action", "roapp_id", "changes", "held", "lines", "status_id", "location_id", "order_type_id", "total")


#: The orders with which a real run would do something: order, would, what, status, total, digest.
Look = list[dict[str, str]]


def rows(plan: Mapping[str, Any]) -> Look:
    """Returns the look at a plan (`Plan.preview`)."""
    return [
        {
            "order": order["number"],
            "would": order["action"],
            "what": what(order),
            "status": str(order["shop_status_name"] or order["shop_status"]),
            "total": order["total"],
            "digest": _digest(order),
        }
        for order in plan["orders"]
        if order["action"] in _DONE
    ]


@dataclass(frozen=True)
class Confirmed:
    """`numbers`: orders of a look with which the same would still be done. `left_out`: for the run's result, the other
    orders, each with the reason."""

    numbers: tuple[str, ...]
    left_out: dict[str, list[dict[str, str]]]


def confirm(looked: Look, plan: Mapping[str, Any]) -> Confirmed:
    """Compares a look with a plan that was made now."""
    before, now = ({one["order"]: one["digest"] for one in look} for look in (looked, rows(plan)))
    same = {number for number in before if before[number] == now.get(number)}
    why = dict.fromkeys(before.keys() - now.keys(), "there is nothing to do by now")
    why |= dict.fromkeys(now.keys() - before.keys(), "it was not in the look")
    why |= dict.fromkeys((before.keys() & now.keys()) - same, "something else would be done by now")
    left_out = [{"number": number, "why": why[number]} for number in sorted(why, key=_place)]
    return Confirmed(tuple(sorted(same, key=_place)), {"left_out": left_out})


def of_numbers(selected: Selection, numbers: Sequence[str]) -> Selection:
    """Returns the selection of these orders alone."""
    named = {"from": None, "to": None, "statuses": [], "numbers": list(numbers)}
    return replace(selected, numbers=tuple(numbers), statuses=(), dated=False, named=named)


def _digest(order: Mapping[str, Any]) -> str:
    compared = {key: order.get(key) for key in _COMPARED}
    return sha256(dumps(compared, sort_keys=True, default=str, ensure_ascii=False).encode()).hexdigest()[:16]


def _place(number: str) -> tuple[int, str]:
    return len(number), number
