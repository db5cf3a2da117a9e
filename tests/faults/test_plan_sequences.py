"""Sequences of edits, looks and lost calls that a plan has to get right, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from one_order import RULE, OneOrder, Wire

from cartum_roapp.delivery.agreeing import again
from cartum_roapp.delivery.operations import SetLine
from cartum_roapp.ledger.agreed import AgreedOrder


@pytest.fixture
def order(wire: Wire) -> Iterator[OneOrder]:
    """An order that both sides agree on."""
    order = OneOrder(wire)
    order.settle()
    yield order
    order.close()


@pytest.fixture
def switch(wire: Wire) -> Iterator[Any]:
    faults = wire.account.faults
    before = faults.as_dict() | {"plan": []}
    yield faults.switch
    faults.switch(**before)


def writes(order: OneOrder) -> int:
    """How many calls it takes until nothing is left to do."""
    before = order.writes
    order.settle()
    return order.writes - before


def test_what_staff_set_after_our_call_and_before_the_next_look_stays(order: OneOrder) -> None:
    order.shop.status = 2
    order.kill_in = 6  # the call is answered, and that is stored
    order.bring()
    assert order.seen()["status_id"] == order.statuses[2]
    order.staff("status")
    assert writes(order) == 0
    assert order.seen()["status_id"] == order.statuses[5]


@pytest.mark.parametrize(
    ("lost", "back", "calls"),
    [("drop_after", True, 1), ("drop", True, 0), ("drop_after", False, 0), ("drop", False, 1)],
)
def test_a_lost_status_costs_a_call_only_where_ro_app_shows_another_one(
    order: OneOrder, lost: str, back: bool, calls: int
) -> None:
    """`back`: the shop has taken it back since."""
    order.shop.status = 2
    order.disturb(lost)
    assert not order.bring()
    order.shop.status = 1 if back else 2
    assert writes(order) == calls
    assert order.seen()["status_id"] == order.statuses[order.shop.status]


def test_a_status_that_both_sides_changed_becomes_the_shops_and_is_reported(order: OneOrder) -> None:
    order.staff("status")
    order.shop.status = 2
    order.settle()
    assert order.seen()["status_id"] == order.statuses[2]
    assert order.overruled == [order.statuses[5]]


@pytest.mark.parametrize(("is_open", "moves"), [(True, 1), (False, 0)])
def test_a_status_matched_with_another_one_moves_open_orders_that_show_the_former(
    order: OneOrder, monkeypatch: pytest.MonkeyPatch, is_open: bool, moves: int
) -> None:
    made = order.order
    monkeypatch.setattr(order, "order", lambda: replace(made(), is_open=is_open))
    order.statuses[1] = order.statuses[3]
    assert writes(order) == moves


def test_a_status_matched_with_another_one_stays_where_its_lost_call_has_arrived(order: OneOrder) -> None:
    order.settle()
    order.statuses[1] = order.statuses[3]
    order.disturb("drop_after")
    order.bring()
    writes = order.writes
    order.settle()
    assert (order.seen()["status_id"], order.writes) == (order.statuses[3], writes)


def test_a_status_matched_with_another_one_moves_no_order_that_staff_have_moved(order: OneOrder) -> None:
    order.staff("status")
    order.statuses[1] = order.statuses[3]
    assert writes(order) == 0


def test_a_status_that_is_not_matched_stops_nothing_else(order: OneOrder) -> None:
    order.shop.status, order.shop.facts = 9, "paid"
    order.settle()
    assert order.problems == {"status-unmatched": 9}
    assert order.seen()["manager_notes"].startswith("[key:1] paid\n")


def test_a_lost_line_that_arrives_after_the_shop_dropped_it_is_taken_out(order: OneOrder) -> None:
    order.shop.lines["b"] = Decimal("5.00"), 1
    order.disturb("parked")
    assert not order.bring()
    del order.shop.lines["b"]
    order.settle()
    assert [name for name, *_ in order.seen()["lines"]] == ["a"]


def test_a_lost_line_whose_price_staff_changed_is_not_added_again(order: OneOrder) -> None:
    order.shop.lines["b"] = Decimal("5.00"), 3
    order.disturb("drop_after", skip=0)
    assert not order.bring()
    with order.account.lock:
        order.account.items[order.id][-1]["price"] = 6
        order.account.touch(order.id)
    assert writes(order) == 0
    assert ("b", Decimal(6), 3) in order.seen()["lines"]


def test_a_first_try_that_arrives_after_its_repeat_is_reported(order: OneOrder) -> None:
    order.shop.lines["b"] = Decimal("5.00"), 1
    order.disturb("drop")
    assert not order.bring()
    order.settle()
    ours = order.seen()["item_ids"]
    late = order.account.add_item(order.id, **order.account.items[order.id][-1] | {"id": 0})
    order.account.items[order.id][-1]["id"] = late = late + 1
    order.settle()
    assert order.problems == {"doubled": (ours[-1], late)}


def test_a_line_that_staff_took_out_stays_out_where_only_a_coupon_changed(order: OneOrder) -> None:
    order.shop.lines["b"] = Decimal("5.00"), 1
    order.settle()
    order.staff("take out")
    order.shop.coupon = Decimal("0.50")
    order.settle()
    assert [name for name, *_ in order.seen()["lines"]] == ["b"]
    assert "total-differs" in order.problems, "the share of the line that is out is missing"
    order.shop.lines["a"] = Decimal("10.00"), 3
    order.settle()
    assert {name for name, *_ in order.seen()["lines"]} == {"a", "b"}


def test_a_line_that_staff_changed_stays_theirs_where_only_a_coupon_changed(order: OneOrder) -> None:
    order.shop.lines["b"] = Decimal("5.00"), 1
    order.settle()
    order.staff("price")
    order.shop.coupon = Decimal("2.50")
    order.settle()
    assert order.seen()["lines"] == [("a", Decimal("4.5"), 2), ("b", Decimal("4.50"), 1)]
    assert "total-differs" in order.problems, "the share of staff's line is missing"
    order.shop.lines["a"] = Decimal("20.00"), 2
    order.settle()
    assert Decimal(order.seen()["total"]) == order.shop.total


def test_a_coupon_that_comes_and_goes_writes_prices_and_takes_nothing_out(order: OneOrder) -> None:
    order.shop.lines = {"a": (Decimal("33.34"), 3)}
    order.settle()
    for coupon, parts in (("0.02", 2), ("0", 2), ("0.03", 2), ("10.02", 2)):
        order.shop.coupon = Decimal(coupon)
        order.settle()
        seen = order.seen()
        assert Decimal(seen["total"]) == order.shop.total
        assert len(seen["item_ids"]) == len(seen["lines"]) == parts


def test_a_line_that_we_emptied_and_ro_app_dropped_comes_back_with_the_shops(order: OneOrder) -> None:
    """The shop took it out, RO App did not say that it did so, too, and the empty line was removed there."""
    order.shop.lines["b"] = Decimal("5.00"), 1
    order.settle()
    line = order.shop.lines.pop("b")
    order.disturb("drop_after")
    assert not order.bring()
    with order.account.lock:
        items = order.account.items[order.id]
        items.remove(next(item for item in items if not item["quantity"]))
        order.account.touch(order.id)
    order.shop.lines["b"] = line
    order.settle()
    assert [name for name, *_ in order.seen()["lines"]] == ["a", "b"]


def test_an_order_without_an_agreement_keeps_what_staff_set_and_gets_no_second_line(order: OneOrder) -> None:
    order.staff("status")
    order.staff("client")
    order.agreed = AgreedOrder()
    order.shop.lines["a"] = Decimal("10.00"), 3
    order.settle()
    seen = order.seen()
    assert (seen["status_id"], seen["client_id"]) == (order.statuses[5], order.stranger)
    assert seen["lines"] == [("a", Decimal(10), 3)]
    order.shop.status = 2
    order.settle()
    assert order.seen()["status_id"] == order.statuses[2]


def test_a_status_that_staff_moved_while_the_agreement_was_lost_is_reported(order: OneOrder) -> None:
    order.shop.status = 2
    order.settle()
    order.staff("status")
    order.agreed = AgreedOrder(comment="")
    order.settle()
    assert order.problems == {"status-differs": order.statuses[5]}
    assert order.seen()["status_id"] == order.statuses[5]


def test_an_order_that_is_sent_again_becomes_the_shops_without_a_second_line_or_comment(order: OneOrder) -> None:
    order.staff("status")
    order.staff("quantity")
    order.staff("own line")
    order.agreed = again(order.agreed, anew=False, both_ways=False)
    comments = len(order.account.comments_of(order.id))
    assert writes(order) == 2
    seen = order.seen()
    assert seen["status_id"] == order.statuses[1]
    assert seen["lines"] == [("a", Decimal(10), 2), ("staff's", Decimal(7), 1)]
    assert len(order.account.comments_of(order.id)) == comments


def test_an_order_that_is_sent_again_while_a_line_is_on_its_way_gets_it_once(order: OneOrder) -> None:
    order.shop.lines["b"] = Decimal("5.00"), 1
    order.disturb("parked")
    assert not order.bring()
    order.agreed = again(order.agreed, anew=False, both_ways=False)
    order.settle()
    assert order.seen()["lines"] == [("a", Decimal(10), 2), ("b", Decimal(5), 1)]


def test_a_comment_that_is_due_is_sent_though_staff_added_a_line_and_the_goods_cannot_be_brought(
    order: OneOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = order.order
    monkeypatch.setattr(order, "order", lambda: replace(made(), entities=None))
    order.agreed = replace(order.agreed, lines=(), comment_is_due=True)
    order.staff("own line")
    sent = len(order.account.comments_of(order.id))
    order.settle()
    assert len(order.account.comments_of(order.id)) == sent + 1


def test_hidden_notes_are_never_written(order: OneOrder, switch: Any) -> None:
    switch(order_notes=False)
    order.staff("note")
    order.shop.facts = "paid"
    assert writes(order) == 0
    assert order.seen()["manager_notes"].endswith("call first\n")


def test_a_line_that_cannot_be_taken_out_stops_nothing_else(order: OneOrder, switch: Any) -> None:
    switch(zero_quantity=False)
    order.shop.lines = {"b": (Decimal("5.00"), 1)}
    order.shop.status = 2
    order.settle()
    seen = order.seen()
    assert seen["status_id"] == order.statuses[2]
    assert [name for name, *_ in seen["lines"]] == ["a", "b"]
    assert [type(one) for one in order.refused] == [SetLine]
    assert writes(order) == 0


def test_a_reopened_order_begins_with_its_status(order: OneOrder, switch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = next(id_ for id_, status in order.account.statuses.items() if status["group"]["type"] in (6, 7))
    order.statuses[4] = closed
    order.shop.status = 4
    order.settle()
    switch(closed_locks=True)
    made = order.order
    monkeypatch.setattr(order, "order", lambda: replace(made(), is_reopened=True))
    order.shop.status, order.shop.facts = 2, "paid"
    order.settle()
    assert not order.refused
    assert order.seen()["manager_notes"].startswith("[key:1] paid\n")


def test_once_goods_are_written_off_the_lines_stay_and_the_notes_say_so(order: OneOrder) -> None:
    order.account.write_off(order.id)
    order.shop.lines["a"] = Decimal("10.00"), 3
    order.shop.status = 2
    assert writes(order) == 2
    seen = order.seen()
    assert seen["lines"] == [("a", Decimal(10), 2)]
    assert seen["manager_notes"].partition(RULE)[0] == "[key:1] to be sent, written off"
    assert seen["status_id"] == order.statuses[2]


def test_a_manager_who_has_left_is_replaced_and_no_other_one(order: OneOrder, monkeypatch: pytest.MonkeyPatch) -> None:
    second = list(order.account.employees)[1]
    order.manager = second
    assert writes(order) == 0
    made = order.order
    monkeypatch.setattr(order, "order", lambda: replace(made(), manager_has_left=True))
    assert writes(order) == 1
    assert order.seen()["manager_id"] == second


def test_a_total_that_cannot_be_explained_is_reported_with_its_figure(order: OneOrder, switch: Any) -> None:
    switch(line_rounding="whole")
    order.shop.lines["a"] = Decimal("10.30"), 1
    order.settle()
    assert order.problems == {"total-differs": Decimal("10.00")}


def add(order: OneOrder, name: str, price: str, count: int) -> int:
    """Staff add a line of one of the shop's products."""
    like = order.account.items[order.id][0]
    fields = {"entity_id": order.entities[name], "price": float(price), "quantity": count}
    return order.account.add_item(order.id, **{key: value for key, value in like.items() if key != "id"} | fields)


def take_out(order: OneOrder, item: int) -> None:
    with order.account.lock:
        order.account.items[order.id] = [one for one in order.account.items[order.id] if one["id"] != item]
        order.account.touch(order.id)


def lose(order: OneOrder, name: str, price: str, count: int, kind: str = "drop") -> None:
    """The shop has a further line, and RO App does not answer to its adding."""
    order.shop.lines = {**order.shop.lines, name: (Decimal(price), count)}
    order.disturb(kind)
    assert not order.bring()


def test_of_twins_a_person_may_delete_the_one_that_was_ours(order: OneOrder) -> None:
    lose(order, "b", "5.00", 1)
    order.settle()
    ours = order.seen()["item_ids"][-1]
    twin = add(order, "b", "5.00", 1)
    order.settle()
    assert order.problems == {"doubled": (ours, twin)}
    take_out(order, ours)
    order.problems.clear()
    order.shop.lines = {**order.shop.lines, "b": (Decimal("5.00"), 3)}
    order.settle()
    assert order.problems == {}
    assert order.seen()["lines"] == [("a", Decimal(10), 2), ("b", Decimal(5), 3)]


def test_a_lost_line_takes_none_that_staff_had_before(order: OneOrder) -> None:
    add(order, "b", "1.11", 1)
    lose(order, "b", "5.00", 1)
    order.settle()
    assert order.seen()["lines"] == [("a", Decimal(10), 2), ("b", Decimal("1.11"), 1), ("b", Decimal(5), 1)]
    assert order.problems == {}


def test_a_repeat_that_is_refused_does_not_forget_the_first_try(order: OneOrder) -> None:
    lose(order, "b", "5.00", 1)
    order.disturb("rate")
    assert not order.bring()
    order.settle()
    ours = order.seen()["item_ids"][-1]
    twin = add(order, "b", "5.00", 1)
    order.settle()
    assert order.problems == {"doubled": (ours, twin)}


def test_a_lost_line_takes_no_line_that_is_another_ones(order: OneOrder) -> None:
    """Two products of the shop are one of RO App, at the same price; only the second one's line arrives."""
    order.entities["c"] = order.entities["b"]
    lose(order, "b", "5.00", 5)
    lose(order, "c", "5.00", 2, "drop_after")
    assert [(line.product, line.item is None) for line in order.agreed.lines] == [("a", False), ("b", True)]
    order.settle()
    assert sorted(count for _, price, count in order.seen()["lines"] if price == 5) == [2, 5]


def test_lines_that_staff_made_alike_are_not_taken_for_one_without_an_agreement(order: OneOrder) -> None:
    order.entities["b"] = order.entities["a"]
    order.shop.lines = {"a": (Decimal("10.00"), 2), "b": (Decimal("20.00"), 1)}
    order.settle()
    with order.account.lock:
        for item in order.account.items[order.id]:
            item["price"] = 15
        order.account.touch(order.id)
    order.agreed = AgreedOrder(comment="")
    order.settle()
    assert len(order.seen()["lines"]) == 2


def test_a_lost_quantity_is_taken_back_also_after_the_next_one_was_refused(order: OneOrder) -> None:
    for count, kind in ((6, "drop_after"), (7, "rate")):
        order.shop.lines = {"a": (Decimal("10.00"), count)}
        order.disturb(kind)
        assert not order.bring()
    order.shop.lines = {"a": (Decimal("10.00"), 2)}
    order.settle()
    assert order.seen()["lines"] == [("a", Decimal(10), 2)]


def test_a_line_that_meets_no_answer_is_taken_out_with_the_next_try(order: OneOrder) -> None:
    order.shop.lines = {"a": (Decimal("10.00"), 2), "b": (Decimal("5.00"), 1)}
    order.settle()
    order.shop.lines = {"a": (Decimal("10.00"), 2)}
    order.disturb("rate")
    assert not order.bring()
    order.settle()
    assert order.seen()["lines"] == [("a", Decimal(10), 2)]


@pytest.mark.parametrize("is_new", [False, True])
def test_a_discount_that_a_lost_call_has_set_unseen_is_taken_back(wire: Wire, switch: Any, is_new: bool) -> None:
    """RO App does not show discounts of lines; `is_new`: the lost call added the line."""
    switch(discounts_shown=False)
    order = OneOrder(wire)
    if not is_new:
        order.settle()
    order.shop.coupon = Decimal("0.07")
    order.disturb("drop_after", skip=int(is_new))
    assert not order.bring()
    order.shop.coupon = Decimal(0)
    order.settle()
    assert (Decimal(order.seen()["total"]), order.problems) == (20, {})
    order.close()


@pytest.mark.parametrize("kind", ["", "drop", "drop_after"])
def test_a_price_of_parts_of_a_cent_is_written_once_and_its_total_is_right(
    order: OneOrder, switch: Any, kind: str
) -> None:
    """RO App may keep two decimals, and what it shows then is no edit of staff's. Also where the first call had no
    answer, whether it was made or not."""
    switch(price_digits=2)
    order.shop.lines["b"] = Decimal("33.333"), 3
    if kind:
        order.disturb(kind)
        assert not order.bring()
    order.settle()
    assert total_of(order, "b") == Decimal("100.00")
    assert writes(order) == 0
    order.shop.lines["b"] = Decimal("33.333"), 4
    order.settle()
    assert total_of(order, "b") == Decimal("133.33")
    assert writes(order) == 0


def total_of(order: OneOrder, name: str) -> Decimal:
    return sum((price * count for one, price, count, *_ in order.seen()["lines"] if one == name), Decimal(0))
