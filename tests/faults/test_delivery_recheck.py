"""What a second look at a repeated call can't see stops neither the account nor the other looks."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from world import World

from cartum_roapp.ledger import deleted_shops

pytestmark = pytest.mark.long

TIMEOUT, WAIT, AGAIN, LATE = 0.3, 0.3, 1.6, 1.4
IMPATIENT: dict[str, Any] = {
    "http_timeout": TIMEOUT, "unclear_wait": WAIT, "recheck_after": AGAIN, "retries": 2,
}  # fmt: skip
ITEMS = r"^/orders/\d+/items$"
PEOPLE = r"^/contacts/people$"


def doubled_line(world: World) -> str:
    """The number of an order whose only line arrives again, before the second look at it."""
    number = world.box.shops[0].place_order(articles=[("KR-799", 1)])
    world.box.roapp.faults.fail("late", 1, method="POST", path=ITEMS, seconds=LATE)
    world.imported()
    time.sleep(AGAIN + 0.2)
    return number


def due(world: World, number: str) -> int:
    """How many lines of the order are to be looked at again: on a busy machine another order's may be unclear, too."""
    query = "SELECT count(*) FROM agreed_lines WHERE look_at IS NOT NULL AND number = :number"
    return int(world.value(query, number=number))


@pytest.mark.parametrize("seen", [False, True])
def test_an_order_that_staff_deleted_before_the_second_look_at_its_line(database: str, seen: bool) -> None:
    with World.of(database, orders=0, delivered=0, older=0, settings=IMPATIENT) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        number = doubled_line(world)
        if seen:
            world.synced()
            assert list(world.held().values()) == ["doubled"]
            time.sleep(AGAIN)
        roapp.delete_order(world.roapp_order(number)["id"])
        other = shop.place_order(articles=[("KR-799", 2)])
        world.synced()
        assert world.differences(world.shop(), [other]) == []
        assert world.held() == {}, "its lines went with it"
        assert due(world, number) == 0


def test_a_second_look_that_ro_app_does_not_answer_is_put_off(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0, settings=IMPATIENT) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        number = doubled_line(world)
        roapp.faults.fail("error", IMPATIENT["retries"], method="GET", path=ITEMS)
        other = shop.place_order(articles=[("LMP-07", 2)])
        world.synced()
        assert world.differences(world.shop(), [other], left_out=[number]) == []
        assert (world.held(), due(world, number)) == ({}, 1)
        time.sleep(AGAIN)
        world.synced()
        assert list(world.held().values()) == ["doubled"]


def test_a_contact_that_is_there_twice_is_cleared_after_a_look_that_was_refused(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0, settings=IMPATIENT) as world:
        roapp = world.box.roapp
        world.box.shops[0].place_order(articles=[("KR-799", 1)], delivery_phone="+380671112233")
        roapp.faults.fail("late", 1, method="POST", path=PEOPLE, seconds=LATE)
        world.imported()
        time.sleep(AGAIN + 0.2)
        world.synced()
        assert list(world.held().values()) == ["doubled"]
        time.sleep(AGAIN + 0.2)
        roapp.faults.fail("error", 999, method="GET", path=PEOPLE, status=422)
        world.synced()
        assert list(world.held().values()) == ["doubled"]
        roapp.faults.calm()
        roapp.delete_contact(max(roapp.contacts))
        time.sleep(AGAIN + 0.2)
        world.synced()
        assert world.held() == {}


def test_a_second_look_that_ro_app_never_answers_keeps_no_run_busy(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0, settings=IMPATIENT) as world:
        doubled_line(world)
        roapp = world.box.roapp
        roapp.faults.fail("error", 999, method="GET", path=ITEMS)
        roapp.clear_calls()
        world.synced(rest=timedelta(seconds=1))
        looks = [call for call in roapp.calls if call.path.endswith("/items")]
        assert 0 < len(looks) <= 2 * IMPATIENT["retries"]


@pytest.mark.parametrize("purge", [False, True])
@pytest.mark.parametrize(("kind", "path"), [("contact", PEOPLE), ("order", r"^/orders$")])
def test_a_second_look_for_a_shop_that_is_not_served_any_more(database: str, kind: str, path: str, purge: bool) -> None:
    with World.of(database, shops=2, orders=0, delivered=0, older=0, settings=IMPATIENT) as world:
        staying, leaving = world.shop(0), world.shop(1)
        world.imported(staying)
        number = world.box.shops[1].place_order(articles=[("KR-799", 1)], delivery_phone="+380671112233")
        world.box.roapp.faults.fail("late", 1, method="POST", path=path, seconds=LATE)
        world.imported(leaving)
        time.sleep(AGAIN + 0.2)
        deleted_shops.forget(world.engine, leaving.key, purge=purge)
        other = world.box.shops[0].place_order(articles=[("KR-799", 2)])
        world.synced(staying)
        assert len(world.roapp_orders(staying)[other]) == 1
        assert world.held(staying) == {}
        assert world.held(leaving) == ({} if purge else {(kind, number): "doubled"})


@pytest.mark.parametrize("arrives", [False, True])
def test_a_guest_who_gave_an_address_before_the_second_look_is_not_there_twice(database: str, arrives: bool) -> None:
    """The order has made two contacts: one for a buyer of whom nothing was known, one for the address."""
    with World.of(database, orders=0, delivered=0, older=0, settings=IMPATIENT) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        number = shop.place_order(articles=[("KR-799", 1)], delivery_phone="", delivery_email="")
        kind = "late" if arrives else "error"
        roapp.faults.fail(kind, 1, method="POST", path=PEOPLE, seconds=LATE)
        before = len(roapp.contacts)
        world.imported()
        shop.edit_buyer(number, email="olena@example.com")
        world.synced()
        time.sleep(AGAIN + 0.2)
        assert len(roapp.contacts) == before + 2 + arrives
        world.synced()
        assert world.held() == ({("contact", number): "doubled"} if arrives else {})
