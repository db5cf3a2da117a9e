"""`delivery.plan` alone keeps an order in step, whatever both sides do and whatever becomes of its calls."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from one_order import RULE, OneOrder, Wire
from sampling import Sample

#: What RO App's accounts are like.
VARIANTS: list[dict[str, Any]] = [
    {},
    {"discounts_shown": False},
    {"order_notes": False},
]
LOST = ["rate", "drop", "drop_after", "parked", "error", "error_after", "html_after", "half_after"]

# Few values, so that a value comes back while a call with another one is on its way.
edits = st.one_of(
    st.tuples(st.just("status"), st.integers(2, 3)),
    st.tuples(st.just("buyer"), st.integers(0, 1)),
    st.tuples(st.just("facts"), st.sampled_from(["sent", "paid"])),
    st.tuples(st.just("comment"), st.sampled_from(["by post", "by courier"])),
    st.tuples(st.just("line"), st.sampled_from("ab"), st.sampled_from(["10.00", "33.33"]), st.integers(1, 3)),
    st.tuples(st.just("without"), st.sampled_from("ab")),
    st.tuples(st.just("coupon"), st.sampled_from(["0.00", "0.07", "5.00"])),
)
disturbances = st.one_of(
    st.none(),
    st.tuples(st.just("fault"), st.sampled_from(LOST), st.integers(0, 2)),
    st.tuples(st.just("kill"), st.integers(0, 20)),
)
staffs = st.sampled_from(["status", "client", "note", "own line", "quantity", "price", "take out"])
#: What is edited, what disturbs the delivery after it, and whether what was lost arrives before the next one.
rounds = st.tuples(st.lists(edits, max_size=3), disturbances, st.booleans())


def edit(order: OneOrder, what: str, *details: Any) -> None:
    """The shop changes something of its order."""
    shop = order.shop
    if what == "coupon":
        shop.coupon = Decimal(details[0])
    elif what == "line":
        name, price, count = details
        shop.lines = {**shop.lines, name: (Decimal(price), count)}
    elif what == "without":
        shop.lines = {name: line for name, line in shop.lines.items() if name != details[0]} or shop.lines
    else:
        setattr(shop, what, details[0])


def disturb(order: OneOrder, what: str, *details: Any) -> None:
    """The next delivery is killed, or one of its calls meets a fault."""
    if what == "kill":
        (order.kill_in,) = details
    else:
        order.disturb(details[0], skip=details[1])


def deliver(order: OneOrder, edited: list[Any], disturbance: tuple[Any, ...] | None, arrives: bool) -> None:
    """One round."""
    for one in edited:
        edit(order, *one)
    if disturbance is not None:
        disturb(order, *disturbance)
    order.bring()
    if arrives:
        order.arrive()


def with_variant(wire: Wire, variant: dict[str, Any], histories: Callable[[], None]) -> None:
    """Runs `histories` on such an account."""
    before = {name: getattr(wire.account.faults, name) for name in variant}
    wire.account.faults.switch(**variant)
    try:
        histories()
    finally:
        wire.account.faults.switch(**before)


def lines_of(order: OneOrder) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name, _, count in order.seen()["lines"]:
        counts[name] = counts.get(name, 0) + count
    return counts


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_whatever_happens_the_order_is_the_shops_and_nothing_is_there_twice(
    wire: Wire, variant: dict[str, Any], sample: Sample
) -> None:
    @seeded(sample.seed)
    @settings(max_examples=sample.times(400, 20), database=None, phases=[Phase.generate, Phase.shrink])
    @given(st.lists(rounds, max_size=5))
    def histories(happened: list[Any]) -> None:
        order = OneOrder(wire)
        for one in happened:
            deliver(order, *one)
        order.settle()
        seen, shop = order.seen(), order.shop
        assert seen["status_id"] == order.statuses[shop.status]
        assert seen["client_id"] == order.contacts[shop.buyer]
        if wire.account.faults.order_notes:
            assert seen["manager_notes"].partition(RULE)[0] == f"[key:1] {shop.facts}"
        assert lines_of(order) == {name: count for name, (_, count) in shop.lines.items()}
        assert Decimal(seen["total"]) == shop.total, seen["lines"]
        assert not order.problems
        before = order.writes
        order.settle()
        order.close()
        assert order.writes == before, "nothing is left to do"

    with_variant(wire, variant, histories)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_what_staff_set_stays_until_the_shop_changes_it(wire: Wire, variant: dict[str, Any], sample: Sample) -> None:
    @seeded(sample.seed)
    @settings(max_examples=sample.times(400, 12), database=None, phases=[Phase.generate, Phase.shrink])
    @given(st.lists(rounds, max_size=2), st.lists(staffs, min_size=1, max_size=4), st.lists(edits, max_size=3))
    def histories(before: list[Any], by_staff: list[str], after: list[Any]) -> None:
        order = OneOrder(wire)
        for happened in before:
            deliver(order, *happened)
        order.settle()
        for what in by_staff:
            order.staff(what)
        theirs, writes = order.seen(), order.writes
        order.settle()
        assert order.writes == writes
        assert order.seen() == theirs
        shop = vars(order.shop).copy()
        deliver(order, after, None, False)
        order.settle()
        seen = order.seen()
        changed = {name for name, value in vars(order.shop).items() if value != shop[name]}
        expected = order.statuses[order.shop.status] if "status" in changed else theirs["status_id"]
        assert seen["status_id"] == expected
        expected = order.contacts[order.shop.buyer] if "buyer" in changed else theirs["client_id"]
        assert seen["client_id"] == expected
        assert seen["manager_notes"].count("call first") == by_staff.count("note")
        assert sum(name == "staff's" for name, *_ in seen["lines"]) == by_staff.count("own line")
        if not changed & {"lines", "coupon"}:
            assert seen["lines"] == theirs["lines"]
        order.close()

    with_variant(wire, variant, histories)
