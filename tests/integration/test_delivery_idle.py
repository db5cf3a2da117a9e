"""A run with no change writes nothing in the order tables, makes no call to RO App, and asks Prefect for no settings of
the account's shops."""

from __future__ import annotations

import pytest
from ledger_rows import rows
from world import World


@pytest.mark.parametrize("held", [False, True])
def test_an_idle_run_writes_nothing(database: str, held: bool) -> None:
    with World.of(database, product_create=not held) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        world.imported()
        shop.set_waybill(shop.qualifying()[0], "20450000000001")
        world.synced()
        assert bool(world.held()) is held
        before = rows(world)
        assert before["orders"] and before["outbox"] and before["order_lines"]
        roapp.clear_calls()
        reads = world.reads
        for _ in range(2):
            run = world.synced()
            assert run.counts.new == run.counts.changed == 0
        assert rows(world) == before
        assert [call.path for call in roapp.calls] == []
        assert world.reads == reads


def test_an_order_that_only_grew_older_is_no_change(database: str) -> None:
    with World.of(database) as world:
        world.imported()
        before = rows(world)
        world.box.roapp.clear_calls()
        world.imported()
        world.box.clock.shift(minutes=5)
        world.synced()
        assert rows(world) == before
        assert world.box.roapp.calls == []


@pytest.mark.parametrize(("what", "writes"), [("status", 1), ("waybill", 2)])
def test_a_change_of_many_orders_costs_its_calls_and_one_look_for_all(database: str, what: str, writes: int) -> None:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        numbers = [world.placed(("KR-799", 1), status=2) for _ in range(16)]
        world.imported()
        for number in numbers:
            shop.set_status(number, 6) if what == "status" else shop.set_waybill(number, f"2045{number}")
        roapp.clear_calls()
        world.synced()
        looks = [call.path for call in roapp.calls if call.method == "GET" and call.path.startswith("/orders")]
        assert len(roapp.writes()) == writes * len(numbers)
        assert set(looks) == {"/orders"} and len(looks) <= 2
