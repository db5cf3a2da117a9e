"""What arrives late, or is seen late, where the shop or RO App's staff have changed something meanwhile."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from world import World

QUICK: dict[str, Any] = {"http_timeout": 0.4, "unclear_wait": 0.2, "recheck_after": 2.0, "retry_base": 0.01}
PHONE = "+380671112233"


@pytest.mark.parametrize("changed", ["", "price", "removed"])
def test_a_line_that_arrives_late_is_told_also_where_the_shop_has_changed_it(database: str, changed: str) -> None:
    """The adding of a line is repeated, and the first call takes effect after all: a second look finds both."""
    with World.of(database, orders=0, delivered=0, older=0, settings=QUICK) as world:
        world.imported()
        shop, roapp = world.box.shops[0], world.box.roapp
        number = shop.place_order(articles=[("CAP-2", 1), ("KR-799", 1)], delivery_phone=PHONE)
        planned = roapp.faults.fail("parked", 1, method="POST", path="/items$")
        world.synced()
        assert len(world.roapp_items(number)) == 2
        planned.released = True
        time.sleep(0.1)
        items = world.roapp_items(number)
        assert len(items) == 3, "the first call arrived"
        late = roapp.products[items[-1]["entity_id"]]["code"]
        index = [line["article"] for line in shop.orders[number]["products"]].index(late)
        if changed == "price":
            shop.change_line(number, index, price=111)
        elif changed == "removed":
            shop.remove_line(number, index)
        world.synced()
        for _ in range(3):
            time.sleep(1.2)
            world.synced()
        there = [roapp.products[item["entity_id"]]["code"] for item in world.roapp_items(number)]
        assert "doubled" in world.held().values(), there


def test_a_product_that_is_there_twice_is_not_made_a_third_time(database: str) -> None:
    """The first call arrives after all, and the second one is carried out without an answer."""
    with World.of(database, orders=0, delivered=0, older=0, settings={**QUICK, "recheck_after": 60.0}) as world:
        world.imported()
        shop, roapp = world.box.shops[0], world.box.roapp
        shop.place_order(articles=[("CAP-2", 1)], delivery_phone=PHONE)
        planned = roapp.faults.fail("parked", 1, method="POST", path="^/catalog/products$")
        roapp.faults.fail("error_after", 1, method="POST", path="^/catalog/products$")

        def release(method: str, path: str, phase: str) -> None:
            if phase == "applied" and method == "POST" and path == "/catalog/products":
                planned.released = True

        roapp.on_call(release)
        world.synced()
        world.synced()
        assert len(world.made_products()) == 2, [(one["id"], one["code"]) for one in world.made_products()]
        assert world.held()


def test_notes_that_arrive_late_do_not_undo_what_the_shop_is_back_at(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A waybill is written without an answer; the shop takes it back before that call takes effect, which is well
    within the time for which a change is waited for."""
    monkeypatch.setattr("cartum_roapp.delivery.drain.backoff", lambda attempts: 0.3)
    settings = {**QUICK, "unclear_wait": 1.0, "retries": 2}
    with World.of(database, orders=0, delivered=0, older=0, settings=settings) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        number = shop.place_order(articles=[("CAP-2", 1)], delivery_phone=PHONE)
        shop.set_waybill(number, "20450000000001")
        world.imported()
        planned = roapp.faults.fail("parked", 2, method="PATCH", path=r"^/orders/\d+$")
        shop.set_waybill(number, "20450000000002")

        async def run() -> None:
            syncing = asyncio.create_task(world.sync(world.shop()))
            while sum(call.fault == "parked" for call in roapp.calls) < 2:
                await asyncio.sleep(0.005)
            shop.set_waybill(number, "20450000000001")
            asyncio.get_running_loop().call_later(1.2, lambda: setattr(planned, "released", True))
            await asyncio.gather(syncing, world.backfill(world.shop(), numbers=[number]))

        asyncio.run(run())
        planned.released = True
        time.sleep(0.3)
        world.synced()
        world.synced()
        assert "20450000000001" in world.roapp_order(number)["manager_notes"], world.roapp_order(number)[
            "manager_notes"
        ]


def test_a_contact_that_staff_make_meanwhile_does_not_end_the_wait(database: str) -> None:
    """RO App does not say whether it makes the buyer's contact; staff make one; then the first arrives, well within
    the time for which it is waited: a person is asked to merge them, and the order goes through then."""
    with World.of(database, orders=0, delivered=0, older=0, settings={**QUICK, "unclear_wait": 1.0}) as world:
        world.imported()
        shop, roapp = world.box.shops[0], world.box.roapp
        number = shop.place_order(articles=[("CAP-2", 1)], delivery_phone=PHONE, delivery_email="")
        planned = roapp.faults.fail("parked", 1, method="POST", path="^/contacts/people$")
        staffs: list[int] = []

        async def run() -> None:
            syncing = asyncio.create_task(world.sync(world.shop()))
            while not any(call.fault == "parked" for call in roapp.calls):
                await asyncio.sleep(0.01)
            staffs.append(roapp.add_contact("Олена", phones=[PHONE]))
            asyncio.get_running_loop().call_later(1.5, lambda: setattr(planned, "released", True))
            await syncing

        asyncio.run(run())
        assert len(roapp.contacts_by_phone()["380671112233"]) == 2
        assert world.held() == {("order", number): "contact-ambiguous"}
        (ours,) = (contact["id"] for contact in world.made_contacts() if contact["id"] not in staffs)
        roapp.delete_contact(ours)
        world.replayed(number)
        assert world.held() == {}
        assert world.roapp_order(number)["client_id"] == staffs[0]


def test_a_contact_that_staff_make_in_its_place_is_taken(database: str) -> None:
    """The call was lost."""
    with World.of(database, orders=0, delivered=0, older=0, settings=QUICK) as world:
        world.imported()
        roapp = world.box.roapp
        number = world.box.shops[0].place_order(articles=[("CAP-2", 1)], delivery_phone=PHONE, delivery_email="")
        staffs: list[int] = []

        def lost(method: str, path: str, phase: str) -> None:
            if method == "POST" and path == "/contacts/people" and not staffs:
                staffs.append(roapp.add_contact("Олена", phones=[PHONE]))

        roapp.faults.fail("drop", 1, method="POST", path="^/contacts/people$")
        roapp.on_call(lost)
        world.synced()
        assert world.roapp_order(number)["client_id"] == staffs[0]
        assert len(roapp.contacts_by_phone()["380671112233"]) == 1
        assert world.synced().calls.roapp_writes == 0


def test_a_line_whose_price_staff_changed_before_it_was_seen_is_not_added_again(database: str) -> None:
    """RO App adds the line without an answer, and staff change its price before the next look."""
    with World.of(database, orders=0, delivered=0, older=0, settings=QUICK) as world:
        world.imported()
        shop, roapp = world.box.shops[0], world.box.roapp
        number = shop.place_order(articles=[("CAP-2", 2), ("KR-799", 1)], delivery_phone=PHONE)

        def staff(method: str, path: str, phase: str) -> None:
            items = roapp.items[int(path.split("/")[2])] if path.endswith("/items") else []
            if phase == "applied" and method == "POST" and len(items) == 2:
                stop()
                items[1]["price"] = 5
                roapp.touch(int(path.split("/")[2]))

        roapp.faults.fail("drop_after", 1, method="POST", path="/items$", skip=1)
        stop = roapp.on_call(staff)
        world.synced()
        world.synced()
        assert len(world.roapp_items(number)) == 2
        assert world.roapp_items(number)[1]["price"] == 5
        assert world.synced().calls.roapp_writes == 0
