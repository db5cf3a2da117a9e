"""What arrives late, where the shop has changed it meanwhile."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from world import World

pytestmark = pytest.mark.drawn(2)

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
            await asyncio.gather(syncing, world.sync(world.shop()))

        asyncio.run(run())
        planned.released = True
        time.sleep(0.3)
        world.synced()
        world.synced()
        assert "20450000000001" in world.roapp_order(number)["manager_notes"], world.roapp_order(number)[
            "manager_notes"
        ]
