"""What is to be done about a status: in RO App, and in the shop where statuses travel both ways."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cartum_roapp.delivery.decision import Given
from cartum_roapp.delivery.operations import Problem
from cartum_roapp.delivery.plan_status import StatusPlan, in_shop, plan_status
from cartum_roapp.ledger.agreed import Agreed

#: The shop's status → RO App's.
STATUSES = {1: 11, 2: 12, 3: 13, 7: 12}
STEP = 99  # of the workshop: no status of the shop is matched with it
NEW = Agreed.on(1, 11)


def asked(known: Agreed, shop: int, seen: int | None, **more: Any) -> StatusPlan:
    """The plan where the shop has this status, and RO App was seen to have the other."""
    return plan_status(known, Given(shop, STATUSES.get(shop)), seen, **more)


def made(planned: StatusPlan) -> object:
    """What RO App's status is to become; None where it stays."""
    return planned.operation.changes[0].made if planned.operation else None


@pytest.mark.parametrize("both_ways", [False, True])
def test_the_shops_change_is_set_and_staffs_own_stays(both_ways: bool) -> None:
    assert made(asked(NEW, 2, 11, both_ways=both_ways)) == 12
    assert made(asked(NEW, 1, 13, both_ways=both_ways)) is None
    assert asked(NEW, 2, 12, both_ways=both_ways) == StatusPlan(Agreed.on(2, 12)), "RO App has it already"


@pytest.mark.parametrize("both_ways", [False, True])
def test_what_a_lost_call_has_set_is_taken_back_and_staffs_own_is_not(both_ways: bool) -> None:
    in_doubt = replace(NEW, ours=frozenset({12}))
    assert made(asked(in_doubt, 1, 12, both_ways=both_ways)) == 11
    stays = asked(in_doubt, 1, 13, both_ways=both_ways)
    assert (made(stays), stays.known and stays.known.ours) == (None, frozenset())


def test_until_the_shop_has_staffs_status_nothing_that_was_agreed_moves() -> None:
    assert asked(NEW, 1, 13, both_ways=True).known == NEW
    assert asked(NEW, 1, 13).known == replace(NEW, shown=13)


def test_staffs_status_is_reported_once_where_the_shops_takes_its_place() -> None:
    assert asked(NEW, 2, 13, both_ways=True).overruled == 13
    assert asked(NEW, 2, 11).overruled is None
    lost = replace(NEW, ours=frozenset({12}))
    assert asked(lost, 2, 11, both_ways=True).overruled is None, "it has not arrived"
    assert asked(lost, 2, 13, both_ways=True).overruled == 13, "staff may have set it since"


def test_a_status_that_is_matched_with_another_one_moves_an_open_order_that_shows_the_former() -> None:
    before = Agreed.on(1, 10)
    assert made(asked(before, 1, 10)) == 11
    moved_on = asked(before, 1, 13)
    assert made(moved_on) is None
    assert made(asked(moved_on.known, 1, 10)) is None, "staff have moved it back"
    assert made(asked(before, 1, 10, is_open=False)) is None


@pytest.mark.parametrize("both_ways", [False, True])
@pytest.mark.parametrize("lost", [set(), {12}])
def test_where_none_was_sent_a_status_that_somebody_moved_stays(lost: set[int], both_ways: bool) -> None:
    """RO App's orders begin in 11, or in one that none is matched with."""
    known = Agreed(ours=frozenset(lost))
    for first in (11, STEP):
        assert made(asked(known, 2, first, first=first, both_ways=both_ways)) == 12
        told = asked(known, 2, 13, first=first, both_ways=both_ways)
        assert (made(told), told.problem) == (None, Problem.STATUS_DIFFERS)
        staffs = asked(known, 1, 13, first=first, both_ways=both_ways)
        assert (made(staffs), staffs.problem) == (None, None)
    assert made(asked(known, 1, STEP, first=STEP)) == 11
    assert made(asked(known, 3, 12, first=11)) == (13 if lost else None), "ours that arrived is nobody's word"


def test_what_staff_set_on_an_order_that_is_new_in_the_shop_goes_there() -> None:
    staffs = asked(Agreed(), 1, 13, first=11, both_ways=True)
    assert in_shop(staffs.known, 13, STATUSES) == 3, "nobody has moved the shop's: it is staff's to move it on"


def test_a_status_that_is_not_matched_is_reported_once() -> None:
    assert asked(NEW, 9, 11).problem is Problem.STATUS_UNMATCHED
    assert asked(Agreed.on(9, 11), 9, 11).problem is None


def test_the_shop_gets_what_ro_app_shows_and_its_own_back() -> None:
    assert in_shop(NEW, 11, STATUSES) == 1
    assert in_shop(NEW, 12, STATUSES) == 2, "the lowest of two"
    assert in_shop(NEW, 12, STATUSES, listed={"7"}) == 7, "one that it still has"
    assert in_shop(Agreed.on(7, 12), 12, STATUSES) == 7, "its own, not another one that is matched alike"
    assert in_shop(NEW, STEP, STATUSES) == 1
