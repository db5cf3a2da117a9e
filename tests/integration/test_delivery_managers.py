"""Who gets an order in RO App, and who gets it when its manager has left."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from world import World

CHANGES = ("status", "waybill", "quantity", "line")


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        yield world


@pytest.fixture
def number(world: World) -> str:
    """An order of two lines, in RO App already."""
    number = world.placed(("KR-799", 1), ("LMP-07", 2), status=1)
    world.imported()
    return number


@pytest.fixture
def staff(world: World) -> list[int]:
    """Two managers, a warehouse worker, and a manager who has left."""
    return list(world.box.roapp.employees)


def manager(world: World, number: str) -> int:
    found = world.roapp_order(number)["manager_id"]
    assert isinstance(found, int)
    return found


def change(world: World, number: str, what: str) -> None:
    shop = world.box.shops[0]
    if what == "status":
        shop.set_status(number, 2 if shop.orders[number]["stat_status"] != 2 else 6)
    elif what == "waybill":
        shop.set_waybill(number, f"2045{shop.revision:010}")
    elif what == "quantity":
        shop.change_line(number, 0, quantity=shop.orders[number]["products"][0]["quantity"] + 1)
    else:
        shop.add_line(number, "CAP-2", 2)


def well(world: World, *numbers: str) -> None:
    assert world.held() == {}
    assert world.differences(world.shop(), numbers) == []


def changes_of_manager(world: World) -> list[object]:
    """What RO App was told of managers of orders that it had already."""
    return [
        call.body["manager_id"]
        for call in world.box.roapp.calls
        if call.method == "PATCH" and isinstance(call.body, dict) and "manager_id" in call.body
    ]


def test_all_active_employees_get_orders(world: World, staff: list[int]) -> None:
    numbers = [world.box.shops[0].place_order(articles=[("CAP-2", 1)]) for _ in range(24)]
    world.imported()
    assert {manager(world, number) for number in numbers} == set(staff[:3])


def test_whoever_is_chosen_gets_orders(world: World, staff: list[int]) -> None:
    number = world.box.shops[0].place_order(articles=[("CAP-2", 1)])
    world.imported(world.shop(managers=(staff[2],)))
    assert manager(world, number) == staff[2]


def test_another_manager_takes_over_no_order_that_is_there(world: World, number: str, staff: list[int]) -> None:
    before = manager(world, number)
    for what in CHANGES:
        change(world, number, what)
        world.synced(world.shop(managers=(staff[2],)))
    assert manager(world, number) == before
    assert changes_of_manager(world) == []


@pytest.mark.parametrize("left", ["inactive", "deleted"])
@pytest.mark.parametrize("what", CHANGES)
def test_an_order_whose_manager_has_left_gets_another_with_its_next_change(
    world: World, number: str, what: str, left: str
) -> None:
    roapp = world.box.roapp
    gone = manager(world, number)
    roapp.dismiss_employee(gone)
    if left == "deleted":
        del roapp.employees[gone]
    roapp.clear_calls()
    world.synced()
    assert roapp.calls == [], "nothing changed in the shop, so nobody asked"
    change(world, number, what)
    world.synced()
    well(world, number)
    assert manager(world, number) != gone
    assert roapp.employees[manager(world, number)]["is_active"]
    change(world, number, "waybill")
    world.synced()
    assert changes_of_manager(world) == [manager(world, number)], "told once"
    if what == "line":
        added = roapp.items[world.roapp_order(number)["id"]][-1]
        assert added["assignee_id"] == manager(world, number)


@pytest.mark.parametrize("what", CHANGES)
def test_whom_staff_gave_the_order_to_keeps_it(world: World, number: str, staff: list[int], what: str) -> None:
    """Also when the manager that it was dealt to has left since."""
    roapp = world.box.roapp
    dealt = manager(world, number)
    given = next(one for one in staff[:3] if one != dealt)
    roapp.edit_order(world.roapp_order(number)["id"], manager_id=given)
    change(world, number, what)
    world.synced()
    roapp.dismiss_employee(dealt)
    change(world, number, "line")
    world.synced()
    well(world, number)
    assert manager(world, number) == given
    assert changes_of_manager(world) == []
    assert {item["assignee_id"] for item in roapp.items[world.roapp_order(number)["id"]][2:]} == {given}


@pytest.mark.parametrize("what", ["status", "waybill", "line"])
def test_whom_staff_gave_the_order_to_may_leave_as_well(world: World, number: str, staff: list[int], what: str) -> None:
    roapp = world.box.roapp
    dealt = manager(world, number)
    given = next(one for one in staff[:3] if one != dealt)
    roapp.edit_order(world.roapp_order(number)["id"], manager_id=given)
    roapp.dismiss_employee(given)
    change(world, number, what)
    world.synced()
    well(world, number)
    assert manager(world, number) == dealt


def test_an_order_that_ro_app_shows_without_manager_is_left_as_it_is(world: World, number: str) -> None:
    """Staff may have given it to anybody."""
    roapp = world.box.roapp
    gone = manager(world, number)
    roapp.dismiss_employee(gone)
    roapp.faults.managers_shown = False
    for what in CHANGES:
        change(world, number, what)
        world.synced()
    well(world, number)
    assert changes_of_manager(world) == []
    added = roapp.items[world.roapp_order(number)["id"]][-1]
    assert roapp.employees[added["assignee_id"]]["is_active"], "a line needs somebody who is there"


@pytest.mark.parametrize("what", ["status", "waybill"])
def test_a_refused_manager_stops_nothing_and_is_tried_again(world: World, number: str, what: str) -> None:
    roapp = world.box.roapp
    gone = manager(world, number)
    roapp.dismiss_employee(gone)
    roapp.faults.fail("error", method="PATCH", path=r"^/orders/\d+$", status=422)
    change(world, number, what)
    world.synced()
    assert roapp.faults.plan == []
    well(world, number)
    assert manager(world, number) == gone
    change(world, number, what)
    world.synced()
    well(world, number)
    assert manager(world, number) != gone


@pytest.mark.parametrize("fault", ["drop_after", "hang_after", "late"])
def test_a_change_of_manager_without_an_answer_ends_well(world: World, number: str, fault: str) -> None:
    roapp = world.box.roapp
    gone = manager(world, number)
    roapp.dismiss_employee(gone)
    seconds = {"seconds": 0.2 if fault == "late" else 3.0}
    roapp.faults.fail(fault, method="PATCH", path=r"^/orders/\d+$", **seconds)
    change(world, number, "status")
    world.synced()
    change(world, number, "line")
    world.synced()
    well(world, number)
    assert roapp.employees[manager(world, number)]["is_active"]


def test_where_nobody_is_left_changes_arrive_all_the_same(world: World, number: str, staff: list[int]) -> None:
    gone = manager(world, number)
    for id in staff:
        world.box.roapp.dismiss_employee(id)
    for what in ("status", "waybill", "quantity"):
        change(world, number, what)
        world.synced()
    well(world, number)
    assert manager(world, number) == gone


def test_changes_read_the_employees_once_a_run(world: World) -> None:
    numbers = [world.box.shops[0].place_order(articles=[("CAP-2", 1)]) for _ in range(5)]
    world.imported()
    world.box.roapp.clear_calls()
    for number in numbers:
        change(world, number, "waybill")
    world.synced()
    well(world, *numbers)
    assert len([call for call in world.box.roapp.calls if call.path == "/company/employees"]) == 1
