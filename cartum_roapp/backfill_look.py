"""A dry run that a person has looked at, and which of its orders a later plan would still treat alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from json import dumps
from typing import Any

from cartum_roapp.backfill_words import what
from cartum_roapp.orders.frames import Frames
from cartum_roapp.sync.selection import Selection

#: With these actions a real run would do something.
_DONE = ("create", "adopt", "change")
#: What is compared of an order's plan.
_COMPARED = ("action", "roapp_id", "changes", "held", "lines", "status_id", "location_id", "order_type_id", "total")
#: The orders of a dry run but those with nothing to do: order, would, what, status, total; and `digest` of those with
#: which a real run would do something, "" for the others.
Look = list[dict[str, str]]


@dataclass(frozen=True)
class Planned:
    """The document of a dry run (`Plan.preview`), and number → the hash of the order as the shop had it."""

    document: Mapping[str, Any]
    contents: Mapping[str, str]

    @property
    def look(self) -> Look:
        """Returns what a person looks at, with records that can't be read and numbers that the shop lacks."""
        found = [self._row(one) for one in self.document["orders"] if one["action"] != "nothing"]
        rows = [one for one in self.document["would_hold"] if one["entity"] == "row"]
        found += [_other(one["id"], "held", f"{one['message']} Fix: {one['fix']}") for one in rows]
        return found + [_other(one, "missing", "The shop does not have it.") for one in self.document["not_in_shop"]]

    def _row(self, order: Mapping[str, Any]) -> dict[str, str]:
        reasons = [f"{one['message']} Fix: {one['fix']}" for one in order["held"]] if order["action"] == "held" else []
        return {
            "order": order["number"],
            "would": order["action"],
            "what": " ".join(reasons) or what(dict(order)),
            "status": str(order["shop_status_name"] or order["shop_status"]),
            "total": order["total"],
            "digest": self._digest(order) if order["action"] in _DONE else "",
        }

    def _digest(self, order: Mapping[str, Any]) -> str:
        compared = [self.contents.get(order["number"]), {key: order.get(key) for key in _COMPARED}]
        return sha256(dumps(compared, sort_keys=True, default=str, ensure_ascii=False).encode()).hexdigest()[:16]


@dataclass
class Confirmed:
    """`numbers`: orders of a look with which the same would still be done. `left_out`: for the run's result, the other
    orders, each with the reason. `contents`: as those of `Planned`."""

    numbers: Sequence[str]
    left_out: list[dict[str, str]]
    contents: Mapping[str, str] = field(repr=False)

    def unchanged(self, frames: Frames) -> Frames:
        """Returns the frames without orders that the shop has changed since; these are left out."""
        read = dict(zip(frames.orders["number"], frames.orders["hash"], strict=True))
        same = [number for number, content in read.items() if self.contents.get(number) == content]
        known = {one["number"] for one in self.left_out}  # a part may be read again
        changed = sorted(read.keys() - set(same) - known, key=_place)
        self.left_out += [{"number": one, "why": _CHANGED} for one in changed]
        return frames.only(same)


_CHANGED = "it has changed since the look"


def confirm(looked: Look, now: Planned) -> Confirmed:
    """Compares a look with a plan that was made now."""
    before, after = ({one["order"]: one["digest"] for one in look if one["digest"]} for look in (looked, now.look))
    same = {number for number in before if before[number] == after.get(number)}
    why = dict.fromkeys(before.keys() - after.keys(), "there is nothing to do by now")
    why |= dict.fromkeys(after.keys() - before.keys(), "it was not in the look")
    why |= dict.fromkeys((before.keys() & after.keys()) - same, _CHANGED)
    left_out = [{"number": number, "why": why[number]} for number in sorted(why, key=_place)]
    return Confirmed(sorted(same, key=_place), left_out, now.contents)


def of_numbers(selected: Selection, numbers: Sequence[str]) -> Selection:
    """Returns the selection of these orders alone."""
    named = {"from": None, "to": None, "statuses": [], "numbers": list(numbers)}
    return replace(selected, numbers=tuple(numbers), statuses=(), dated=False, named=named)


def _other(order: str, would: str, why: str) -> dict[str, str]:
    return {"order": order, "would": would, "what": why, "status": "", "total": "", "digest": ""}


def _place(number: str) -> tuple[int, str]:
    return len(number), number
