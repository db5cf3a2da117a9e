"""One call looks at all orders that are due, and nobody is given what a call of ours has changed since."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from one_order import OneOrder, Wire

from cartum_roapp.delivery.looks import Looks
from sandbox import Sandbox


@pytest.fixture
def orders(wire: Wire) -> Iterator[list[OneOrder]]:
    made = [OneOrder(wire) for _ in range(3)]
    for one in made:
        wire.account.edit_order(one.id, estimated_price="20.00", custom_fields={"f1": "1001"})
    yield made
    for one in made:
        one.close()


def reads(wire: Wire) -> int:
    return sum(call.method == "GET" for call in wire.account.calls)


def test_one_call_looks_at_all_that_are_due(wire: Wire, orders: list[OneOrder]) -> None:
    looks = Looks(wire.roapp, lambda: [one.id for one in orders])
    wire.account.clear_calls()
    for one in orders:
        seen, _ = wire.run(looks.at(one.id))
        assert seen is not None and seen.client_id == one.contacts[0]
    assert reads(wire) == 1
    wire.run(looks.at(orders[0].id))
    assert reads(wire) == 2, "it is not returned a second time"


def test_what_was_seen_before_a_call_of_ours_is_not_returned(wire: Wire, orders: list[OneOrder]) -> None:
    first, second, _ = orders
    looks = Looks(wire.roapp, lambda: [one.id for one in orders])
    wire.run(looks.at(first.id))
    wire.run(wire.roapp.set_status(second.id, second.statuses[2]))
    looks.forget(second.id)
    seen, _ = wire.run(looks.at(second.id))
    assert seen is not None and seen.status_id == second.statuses[2]


@pytest.mark.parametrize(
    "left_out", ["manager_notes", "client", "manager_id", "status", "custom_fields", "estimated_price"]
)
def test_where_a_list_shows_less_each_order_is_read_by_itself(
    wire: Wire, orders: list[OneOrder], left_out: str
) -> None:
    faults = wire.account.faults
    faults.switch(list_lacks=(left_out,))
    looks = Looks(wire.roapp, lambda: [one.id for one in orders])
    for one in orders:
        seen, _ = wire.run(looks.at(one.id))
        assert seen == wire.run(wire.roapp.order(one.id))
    faults.switch(list_lacks=())


def test_where_a_list_can_not_be_asked_for_orders_each_is_read_by_itself() -> None:
    with Sandbox(orders=1, products=4, rate_limit=0, filter_form="ignored") as box:
        wire = Wire(box)
        orders = [OneOrder(wire) for _ in range(2)]
        looks = Looks(wire.roapp, lambda: [one.id for one in orders])
        for one in orders:
            seen, _ = wire.run(looks.at(one.id))
            assert seen is not None and seen.id == one.id
            one.close()
        wire.close()
