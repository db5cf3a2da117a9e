"""A status that the shop was given and that arrives there long after it was given up undoes no newer one: not in RO
App, and in the shop for no longer than until the next sync."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from test_write_back import CANCELED, DELIVERED, NEW, PROCESSING, SHIPPING, both, in_roapp
from world import World

from cartum_roapp.errors import Retryable
from sandbox.cartum_shop import CartumShop
from sandbox.faults import Planned

AGED = """
    UPDATE order_matches SET shop_writes = (
        SELECT jsonb_agg(jsonb_build_array(one -> 0, CAST(one ->> 1 AS timestamptz) - interval '16 minutes'))
        FROM jsonb_array_elements(shop_writes) one)
    WHERE shop_writes IS NOT NULL
"""


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=2, delivered=0, older=0) as world:
        world.imported(both(world))
        yield world


@pytest.fixture
def box(world: World) -> CartumShop:
    return world.box.shops[0]


@pytest.fixture
def number(world: World, box: CartumShop) -> str:
    """An order that is new on both sides."""
    number = box.place_order(articles=[("KR-799", 1)])
    world.synced(both(world))
    return number


def statuses(world: World, number: str) -> tuple[int, int]:
    """The shop's, and the shop's that RO App's is matched with."""
    back = {theirs: ours for ours, theirs in both(world).statuses.items()}
    return world.box.shops[0].orders[number]["stat_status"], back[world.roapp_order(number)["status_id"]]


def arrives(box: CartumShop, parked: Planned, status: int, number: str) -> None:
    """The shop applies it only now."""
    parked.released = True
    until = time.monotonic() + 5
    while box.orders[number]["stat_status"] != status and time.monotonic() < until:
        time.sleep(0.01)
    assert box.orders[number]["stat_status"] == status


def sent_late(world: World, box: CartumShop, number: str, times: int = 1) -> Planned:
    """Staff set Shipping; so many tries to tell the shop are parked on their way."""
    in_roapp(world, number, SHIPPING)
    parked = box.faults.fail("parked", times, path="^orders/update$")
    world.synced(both(world))
    assert box.orders[number]["stat_status"] == (NEW if times > 2 else SHIPPING)
    return parked


def well(world: World, number: str, status: int) -> None:
    """Both sides have the status, and nothing is left to write."""
    world.synced(both(world))
    updates = sum(call.path == "orders/update" for call in world.box.shops[0].calls)
    assert world.synced(both(world)).calls.roapp_writes == 0
    assert sum(call.path == "orders/update" for call in world.box.shops[0].calls) == updates
    assert statuses(world, number) == (status, status)
    assert world.held() == {}


@pytest.mark.parametrize("times", [1, 3])
def test_it_does_not_undo_what_the_shops_manager_set_since(
    world: World, box: CartumShop, number: str, times: int
) -> None:
    parked = sent_late(world, box, number, times)
    box.set_status(number, CANCELED)
    world.synced(both(world))
    assert statuses(world, number) == (CANCELED, CANCELED)
    arrives(box, parked, SHIPPING, number)
    world.synced(both(world))
    assert statuses(world, number) == (CANCELED, CANCELED), "RO App keeps it, and the shop has it back"
    well(world, number, CANCELED)


@pytest.mark.parametrize("times", [1, 3])
def test_it_does_not_undo_what_staff_set_since(world: World, box: CartumShop, number: str, times: int) -> None:
    parked = sent_late(world, box, number, times)
    in_roapp(world, number, DELIVERED)
    if times == 3:  # held as not taken by the shop, and tried again at once as staff have set another one
        assert world.held() == {("status", number): "refused-by-shop"}
    world.synced(both(world))
    assert statuses(world, number) == (DELIVERED, DELIVERED)
    arrives(box, parked, SHIPPING, number)
    world.synced(both(world))
    assert statuses(world, number) == (DELIVERED, DELIVERED)
    well(world, number, DELIVERED)


def test_what_staff_set_while_it_lay_there_goes_into_the_shop(world: World, box: CartumShop, number: str) -> None:
    parked = sent_late(world, box, number)
    box.set_status(number, CANCELED)
    world.synced(both(world))
    in_roapp(world, number, PROCESSING)
    arrives(box, parked, SHIPPING, number)
    world.synced(both(world))
    well(world, number, PROCESSING)


def test_the_shop_gets_its_own_status_back_not_another_that_is_matched_alike(
    world: World, box: CartumShop, number: str
) -> None:
    theirs = both(world).statuses
    alike = both(world, statuses={**theirs, 7: theirs[CANCELED], 8: theirs[CANCELED]})
    in_roapp(world, number, SHIPPING)
    parked = box.faults.fail("parked", path="^orders/update$")
    world.synced(alike)
    box.set_status(number, 8)
    world.synced(alike)
    arrives(box, parked, SHIPPING, number)
    for _ in range(2):
        world.synced(alike)
    assert box.orders[number]["stat_status"] == 8
    assert world.roapp_order(number)["status_id"] == theirs[CANCELED]


def test_the_shop_gets_its_status_back_beside_a_step_of_the_workshop(
    world: World, box: CartumShop, number: str
) -> None:
    parked = sent_late(world, box, number)
    box.set_status(number, CANCELED)
    world.synced(both(world))
    own = min(set(world.box.roapp.statuses) - set(both(world).statuses.values()))
    world.box.roapp.set_status(world.roapp_order(number)["id"], own)
    world.synced(both(world))
    arrives(box, parked, SHIPPING, number)
    for _ in range(2):
        world.synced(both(world))
    assert (box.orders[number]["stat_status"], world.roapp_order(number)["status_id"]) == (CANCELED, own)
    assert world.held() == {}


def test_a_manager_who_sets_that_status_again_is_believed(world: World, box: CartumShop, number: str) -> None:
    """Nothing is on its way any more: the only try was answered, or has arrived."""
    parked = sent_late(world, box, number)
    box.set_status(number, CANCELED)
    world.synced(both(world))
    arrives(box, parked, SHIPPING, number)
    world.synced(both(world))
    box.set_status(number, SHIPPING)
    world.synced(both(world))
    well(world, number, SHIPPING)


@pytest.mark.parametrize("fault", ["", "drop_after"])
def test_a_status_that_was_met_in_the_shop_is_not_late(world: World, box: CartumShop, number: str, fault: str) -> None:
    in_roapp(world, number, SHIPPING)
    if fault:
        box.faults.fail(fault, path="^orders/update$")
    world.synced(both(world))
    for status in (CANCELED, SHIPPING):
        box.set_status(number, status)
        world.synced(both(world))
        well(world, number, status)


def test_a_status_that_the_next_run_met_in_the_shop_is_not_late(world: World, box: CartumShop, number: str) -> None:
    def break_off(method: str, path: str, phase: str) -> None:
        if path == "orders/update" and phase == "applied":
            box.faults.fail("error", 1000, path="^orders/get$")

    in_roapp(world, number, SHIPPING)
    box.faults.fail("drop_after", path="^orders/update$")
    stop = box.on_call(break_off)
    with pytest.raises(Retryable):
        world.synced(both(world))
    stop()
    box.faults.calm()
    world.synced(both(world))
    for status in (CANCELED, SHIPPING):
        box.set_status(number, status)
        world.synced(both(world))
        well(world, number, status)


def test_after_a_quarter_of_an_hour_it_counts_as_the_managers(world: World, box: CartumShop, number: str) -> None:
    sent_late(world, box, number)
    box.set_status(number, CANCELED)
    world.synced(both(world))
    with world.engine.begin() as connection:
        connection.execute(text(AGED))
    box.set_status(number, SHIPPING)
    world.synced(both(world))
    well(world, number, SHIPPING)


def test_a_shop_whose_statuses_go_one_way_again_knows_of_no_late_ones(
    world: World, box: CartumShop, number: str
) -> None:
    parked = sent_late(world, box, number)
    world.synced()
    box.set_status(number, CANCELED)
    world.synced()
    arrives(box, parked, SHIPPING, number)
    world.synced()
    assert statuses(world, number) == (SHIPPING, SHIPPING), "the shop's is the only word"
    for status in (CANCELED, SHIPPING):
        box.set_status(number, status)
        world.synced(both(world))
        well(world, number, status)
