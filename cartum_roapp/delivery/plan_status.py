"""The status of an order on its way into RO App and, where statuses travel both ways, back into the shop. All
functions are pure.

Into RO App it is a value like others (`decision`), with these rules around it:

* A status that is matched with another one of RO App than when it was sent moves an open order, as long as RO App shows
  it as it was sent.
* Without an agreement (an order that was found by its marker) a status that somebody has moved stays. It is reported,
  unless nobody has moved the shop's yet.
* Both ways: until the shop has what staff set, nothing that was agreed moves. What a write of ours has put into the
  shop is no change of the shop's.

Back into the shop goes what RO App shows, where it is not what was agreed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from cartum_roapp.delivery.decision import Change, Given, compare
from cartum_roapp.delivery.operations import Problem, SetStatus
from cartum_roapp.ledger.agreed import Agreed, Field, Value

#: In place of the shop's status of an order that the shop has deleted.
DELETED = -1


@dataclass(frozen=True)
class StatusPlan:
    """What is known of the status now (None: nothing), what is to be done, and what a person has to see to.
    `overruled`: staff's status, where the shop's takes its place."""

    known: Agreed | None
    operation: SetStatus | None = None
    problem: Problem | None = None
    overruled: Value = None


def plan_status(
    known: Agreed | None,
    given: Given,
    seen: Value,
    *,
    is_open: bool = True,
    untouched: Collection[int] = frozenset(),
    both_ways: bool = False,
) -> StatusPlan:
    """`seen`: RO App's status, None where it is not shown. `untouched`: RO App's statuses of an order that nobody has
    moved; they are asked for only where `known` is None."""
    if given.made is None:
        unmatched = known is None or known.shop != given.shop
        return StatusPlan(known, problem=Problem.STATUS_UNMATCHED if unmatched else None)
    if known is None and seen is None:
        return StatusPlan(None)
    if known is None and seen not in {given.made, *untouched}:
        problem = None if given.made in untouched else Problem.STATUS_DIFFERS
        shown = given.made if both_ways and problem is None else seen  # then it is on its way into the shop
        return StatusPlan(Agreed(given.shop, given.made, shown), problem=problem)
    before = known or Agreed()
    seen = before.shown if seen is None else seen
    after, change = compare(Field.STATUS, given, before, seen)
    if change is None and given.shop == before.shop and is_open and given.made != before.sent:
        if seen == before.sent:
            change = Change(Field.STATUS, given.shop, given.made)
        else:
            after = replace(after, sent=given.made)
    if change is None:
        if both_ways and given.shop == before.shop:
            after = replace(after, shown=before.shown)
        return StatusPlan(after)
    # A change whose answer was lost has been reported.
    is_news = given.shop != before.shop is not None and change.made not in before.ours
    is_staffs = seen not in {None, before.sent, before.shown, *before.ours}
    return StatusPlan(after, SetStatus((change,)), overruled=seen if is_news and is_staffs else None)


def is_settled(known: Agreed | None, given: Given, *, is_open: bool) -> bool:
    """Returns whether nothing is to be done, whatever RO App shows."""
    if known is None or known.shop != given.shop or known.ours:
        return False
    return not is_open or given.made in (None, known.sent)


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
