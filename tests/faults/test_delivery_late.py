"""RO App carries a call out long after it was given up and repeated: seen, said, and nothing deleted by us."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta, tzinfo
from typing import Any

import pytest
from world import World

pytestmark = pytest.mark.long

TIMEOUT, WAIT, AGAIN, LATE = 0.3, 0.3, 1.6, 1.4
IMPATIENT: dict[str, Any] = {"http_timeout": TIMEOUT, "unclear_wait": WAIT, "recheck_after": AGAIN}


def late(world: World, path: str) -> None:
    """The next call of this kind arrives after it was repeated, but before the second look at it."""
    world.box.roapp.faults.fail("late", 1, method="POST", path=path, seconds=LATE)


def second_look(world: World) -> None:
    time.sleep(AGAIN + 0.2)
    world.synced()


def test_an_order_that_arrives_after_its_repeat(database: str) -> None:
    with World.of(database, orders=1, delivered=0, older=0, settings=IMPATIENT) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        number = shop.place_order(articles=[("KR-799", 1)])
        late(world, r"^/orders$")
        world.imported()
        second_look(world)
        twins = [number for number, rows in world.roapp_orders(world.shop()).items() if len(rows) == 2]
        assert len(twins) == 1, "the test's own timing"
        (number,) = twins
        assert world.held() == {("order", number): "doubled"}

        shop.set_waybill(number, "20450000000001")
        world.synced()
        assert world.held() == {("order", number): "doubled"}, "a change in the shop does not hide it"
        assert len(world.roapp_orders(world.shop())[number]) == 2, "nothing is deleted by us"

        bound = world.value("SELECT ro_id FROM order_matches WHERE number = :number", number=number)
        roapp.delete_order(next(row["id"] for row in world.roapp_orders(world.shop())[number] if row["id"] != bound))
        world.imported()
        assert world.held() == {}
        assert world.differences(world.shop(), shop.qualifying()) == []


def test_the_twin_that_a_person_keeps_becomes_the_order(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0, settings=IMPATIENT) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        number = shop.place_order(articles=[("KR-799", 1), ("LMP-07", 2)])
        late(world, r"^/orders$")
        world.imported()
        second_look(world)
        assert world.held() == {("order", number): "doubled"}
        bound = world.value("SELECT ro_id FROM order_matches WHERE number = :number", number=number)
        roapp.delete_order(bound)
        world.imported()
        shop.set_status(number, 2)
        world.synced()
        assert world.held() == {}
        assert world.differences(world.shop(), shop.qualifying()) == []


@pytest.mark.parametrize(
    ("kind", "path"),
    [("contact", r"^/contacts/people$"), ("product", r"^/catalog/products$"), ("line", r"^/orders/\d+/items$")],
)
def test_what_else_arrives_after_its_repeat_is_held_until_a_person_mends_it(
    database: str, kind: str, path: str
) -> None:
    with World.of(database, orders=0, delivered=0, older=0, settings=IMPATIENT) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        number = shop.place_order(articles=[("CAP-2", 2)], delivery_phone="+380671112233")
        late(world, path)
        world.imported()
        assert world.held() == {}
        second_look(world)
        assert list(world.held().values()) == ["doubled"]
        assert {entity for entity, _ in world.held()} == {kind}

        if kind == "contact":
            bound = world.roapp_order(number)["client_id"]
            (other,) = {row["id"] for row in world.made_contacts()} - {bound}
            del roapp.contacts[other]
            roapp.revision += 1
        elif kind == "product":
            (used,) = (item["entity_id"] for item in world.roapp_items(number))
            (other,) = {row["id"] for row in world.made_products()} - {used}
            roapp.delete_product(other)
        else:
            roapp.items[world.roapp_order(number)["id"]].pop()
            roapp.touch(world.roapp_order(number)["id"])
        second_look(world)
        assert world.held() == {}
        assert world.differences(world.shop(), shop.qualifying()) == []


def test_a_status_that_arrives_late_does_not_undo_a_newer_one(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0, settings={**IMPATIENT, "unclear_wait": 1.0}) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        number = shop.place_order(articles=[("CAP-2", 2)])
        world.imported()
        shop.set_status(number, 2)
        roapp.faults.fail("late", 1, method="POST", path="/status$", seconds=0.6)
        stop = roapp.on_call(
            lambda method, path, phase: path.endswith("/status") and shop.set_status(number, 6) and None
        )
        world.synced()
        stop()
        world.synced()
        assert world.differences(world.shop(), shop.qualifying()) == []


@pytest.mark.parametrize("path", [r"^/orders/\d+/items/\d+$", r"^/orders/\d+$"])
@pytest.mark.parametrize("stop", [False, True])
def test_a_change_that_arrives_late_does_not_undo_a_newer_one(database: str, path: str, stop: bool) -> None:
    """Also when the run that sent it was stopped while it waited for the answer."""
    with World.of(database, orders=0, delivered=0, older=0, settings={**IMPATIENT, "unclear_wait": 0.6}) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        number = shop.place_order(articles=[("CAP-2", 2)])
        world.imported()
        roapp.faults.fail("overdue", 1, method="PATCH", path=path, seconds=1.0)
        shop.change_line(number, quantity=3)
        shop.set_waybill(number, "20450000000003")
        if stop:
            stopped_at_patch(world, path)
        else:
            world.synced()
        shop.change_line(number, quantity=5)
        shop.set_waybill(number, "20450000000005")
        world.synced()
        (late,) = (call for call in roapp.calls if call.fault == "overdue")
        while not late.written:
            time.sleep(0.05)
        assert world.held() == {}
        assert world.differences(world.shop(), [number]) == []


def stopped_at_patch(world: World, path: str) -> None:
    async def stop() -> None:
        run = asyncio.create_task(world.sync(world.shop()))
        while not any(call.fault == "overdue" for call in world.box.roapp.calls):
            await asyncio.sleep(0.01)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

    asyncio.run(stop())


@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_clock_beside_the_databases_costs_no_call_and_makes_nothing_twice(
    database: str, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    """What a lost call made is looked for once it can't arrive any more, by the clock of the ledger."""

    class Beside(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + timedelta(minutes=minutes)

    monkeypatch.setattr("cartum_roapp.delivery.doubt.datetime", Beside)
    with World.of(database, orders=0, delivered=0, older=0, settings={"http_timeout": 0.4}) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        world.imported()
        number = shop.place_order(articles=[("CAP-2", 1)], delivery_phone="+380671112233")
        roapp.faults.fail("hang", 1, method="POST", path="^/orders$", seconds=1.0)
        roapp.clear_calls()
        world.imported()
        world.synced()
        assert [call.path for call in roapp.calls if call.method == "POST"].count("/orders") == 2
        assert sum((call.method, call.path) == ("GET", "/orders") for call in roapp.calls) < 10, "few looks"
        assert world.differences(world.shop(), [number]) == []
