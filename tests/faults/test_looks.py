"""One call looks at all orders that are due, and nobody is given what a call of ours has changed since."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from one_order import OneOrder, Wire

from cartum_roapp.delivery.looks import Looks


@pytest.fixture
def orders(wire: Wire) -> Iterator[list[OneOrder]]:
    made = [OneOrder(wire) for _ in range(3)]
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


@pytest.mark.parametrize("variant", [{"list_notes": False}, {"filter_form": "ignored"}])
def test_where_a_list_shows_less_each_order_is_read_by_itself(
    wire: Wire, orders: list[OneOrder], variant: dict[str, object]
) -> None:
    faults = wire.account.faults
    before = {name: getattr(faults, name) for name in variant}
    faults.switch(**variant)
    looks = Looks(wire.roapp, lambda: [one.id for one in orders])
    for one in orders:
        seen, _ = wire.run(looks.at(one.id))
        assert seen is not None and (seen.id, seen.manager_notes) == (one.id, one.seen()["manager_notes"])
    faults.switch(**before)
