"""The status of an order on its way into RO App and, where statuses travel both ways, back into the shop. All
functions are pure.

Into RO App it is a value like others (`decision`), with these rules around it:

* Where both sides changed it, the shop's wins.
* An order that never got a status of the shop's (it was found by its marker, or its first delivery stopped) gets it
  where nobody has moved RO App's. A status that somebody has moved there stays. It is reported, unless the shop's order
  is still new: then only staff have moved it.
* A status that is matched with another one of RO App than when it was sent moves an open order, as long as RO App shows
  it as it was sent.
* Both ways: what staff set counts as agreed only once the shop has it. What a write of ours has put into the shop is
  no change of the shop's.

Back into the shop goes what RO App shows, where it is not what was agreed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from cartum_roapp.delivery.decision import Change, Given, compare
from cartum_roapp.delivery.operations import Problem, SetStatus
from cartum_roapp.ledger.agreed import Agreed, Field, Value

#: The status in which every order of a shop begins (cartum §3).
NEW = 1
#: In place of the shop's status of an order that the shop has deleted.
DELETED = -1


@dataclass(frozen=True)
class StatusPlan:
    """What is known of the status now, what is to be done, and what a person has to see to. `overruled`: staff's
    status, where the shop's takes its place."""

    known: Agreed
    operation: SetStatus | None = None
    problem: Problem | None = None
    overruled: Value = None


def plan_status(
    known: Agreed, given: Given, seen: Value, *, first: Value = None, is_open: bool = True, both_ways: bool = False
) -> StatusPlan:
    """`seen`: RO App's status, None where it is not shown. `first`: the status in which RO App begins such an order; it
    is asked for only where no status was sent."""
    if given.made is None:
        return StatusPlan(known, problem=Problem.STATUS_UNMATCHED if known.shop != given.shop else None)
    if known.sent is None and seen not in {first, given.made, *known.ours}:
        if seen is None:
            return StatusPlan(known)
        if given.shop != NEW:
            return StatusPlan(Agreed(given.shop, given.made, seen), problem=Problem.STATUS_DIFFERS)
        known = Agreed.on(given.shop, given.made)
    seen = known.shown if seen is None else seen
    after, change = compare(Field.STATUS, given, known, seen)
    if change is None and given.shop == known.shop and is_open and given.made != known.sent:
        if seen == known.sent:
            change = Change(Field.STATUS, given.shop, given.made)
        else:
            after = replace(after, sent=given.made)
    if change is None:
        if both_ways and given.shop == known.shop:
            after = replace(after, shown=known.shown)
        return StatusPlan(after)
    is_staffs = known.shop is not None and seen not in {known.sent, known.shown, *known.ours}
    return StatusPlan(after, SetStatus((change,)), overruled=seen if is_staffs else None)


def in_shop(
    agreed: Agreed, theirs: int | None, statuses: Mapping[int, int], listed: Collection[str] = ()
) -> int | None:
    """Returns what the shop's status has to be where RO App's is `theirs`; None where the shop had none. What the shop
    has no status for leaves it as it was agreed. Of several that are matched with it, it is the lowest of those that
    the shop has `listed`, otherwise the lowest."""
    own = agreed.shop if isinstance(agreed.shop, int) else None
    if theirs in (None, agreed.shown) or statuses.get(own or 0) == theirs:
        return own
    alike = [ours for ours, matched in statuses.items() if matched == theirs]
    return min([one for one in alike if str(one) in listed] or alike, default=own)
