"""Two things that come together: what staff did in RO App, a change in the shop, a call whose outcome nobody knows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from world import World

from cartum_roapp.apis.calls import Calls
from cartum_roapp.delivery import choosing
from cartum_roapp.delivery.account import reading

P1, P2, P3 = "+380671112233", "+380509998877", "+380931234567"
BARE: dict[str, Any] = {"orders": 0, "delivered": 0, "older": 0}
PLAIN: dict[str, Any] = {
    "coupon_code": "", "coupon_percent": 0, "discount_percent": 0, "total_sum": 350, "total_default": 350,
}  # fmt: skip


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, **BARE) as world:
        yield world


def titles(words: str) -> dict[str, str]:
    return dict.fromkeys(("ua", "ru", "en", "ro"), words)


async def until_unclear(world: World) -> None:
    """A sync that is ended where nobody knows what became of a call."""
    run = asyncio.ensure_future(world.sync(world.shop()))
    while not world.value("SELECT count(*) FROM order_events WHERE kind = 'postponed'"):
        await asyncio.sleep(0.005)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run


@pytest.mark.parametrize("by", ["name", "code"])
def test_a_product_that_staff_deleted_makes_no_second_one_of_the_other(world: World, by: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    config = world.shop(identify_products_by=by)
    shop.place_order(articles=[("CAP-2", 1), ("KR-799", 1)])
    world.imported(config)
    made = {row["code"]: row["id"] for row in world.made_products()}
    if by == "name":
        shop.edit_good("KR-799", titles=titles("Кросівки нові"))  # the shop renames it: it stays the product
    else:
        roapp.edit_product(made["KR-799"], code="", sku="")  # staff empty its code: it stays the product
    roapp.delete_product(made["CAP-2"])
    world.a_day_later()
    number = shop.place_order(articles=[("CAP-2", 1), ("KR-799", 1)])
    world.synced(config)
    world.synced(config)
    assert world.held(config) == {}
    assert made["KR-799"] in {item["entity_id"] for item in world.roapp_items(number, config)}


def refused_once(world: World, number_of: Any, config: Any = None) -> str:
    """A new order that is refused without a reason that can be read, and tried again when that is over."""
    faults = world.box.roapp.faults
    faults.switch(required_order_fields=("ad_campaign_id",), error_shape="html")
    number = str(number_of())
    world.synced(config)
    faults.switch(required_order_fields=(), error_shape="errors")
    world.replayed(number, shop=config)
    return number


def test_a_renamed_product_where_single_products_are_not_shown(world: World) -> None:
    shop, config = world.box.shops[0], world.shop(identify_products_by="name")
    shop.place_order(articles=[("KR-799", 1)])
    world.imported(config)
    (made,) = world.made_products()
    shop.edit_good("KR-799", titles=titles("Кросівки нові"))
    world.a_day_later()
    world.box.roapp.faults.product_get = False
    refused_once(world, lambda: shop.place_order(articles=[("KR-799", 1)]), config)
    assert [row["id"] for row in world.made_products()] == [made["id"]]


def test_a_buyer_whose_phone_is_refused_where_single_contacts_are_not_shown(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    roapp.faults.refused_phones = (P1,)
    order = {"articles": [("KR-799", 1)], "delivery_phone": P1, "delivery_email": ""}
    shop.place_order(**order)
    world.imported()
    (made,) = world.made_contacts()
    roapp.faults.contact_get = False
    refused_once(world, lambda: shop.place_order(**order))
    assert [row["id"] for row in world.made_contacts()] == [made["id"]]


def test_a_contact_that_a_person_chose_where_single_contacts_are_not_shown(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    ids = [roapp.add_contact(name, phones=[P1]) for name in ("Олена", "Лена")]
    roapp.seeded["contacts"] |= set(ids)
    order = {"articles": [("KR-799", 1)], "delivery_phone": P1, "delivery_email": ""}
    number = shop.place_order(**order)
    world.imported()

    async def choose() -> None:
        async with reading(world.engine, world.found(world.shop()).account, world.settings, Calls()) as api:
            await choosing.choose_contact(world.engine, api, world.shop(), number, ids[1])

    asyncio.run(choose())
    world.synced()
    assert world.held() == {}
    roapp.faults.contact_get = False
    second = refused_once(world, lambda: shop.place_order(**order))
    assert world.held() == {}
    assert world.roapp_order(second)["client_id"] == ids[1]


@pytest.mark.parametrize("lost", ["purge", "copy"])
def test_a_line_is_not_doubled_because_its_product_was_replaced(world: World, lost: str) -> None:
    """Staff gave the code to another product; then the order is bound anew: the ledger is lost, or staff
    copied the order and deleted the first one."""
    shop, roapp = world.box.shops[0], world.box.roapp
    number = shop.place_order(articles=[("CAP-2", 1)], **PLAIN)
    world.imported()
    (made,) = world.made_products()
    roapp.edit_product(made["id"], code="CAP-OLD", sku="CAP-OLD", title="Old", barcodes=[])
    roapp.seeded["products"].add(roapp.add_product("Кепка", code="CAP-2", sku="CAP-2"))
    world.a_day_later()
    shop.place_order(articles=[("KR-799", 1)])
    world.synced()
    if lost == "copy":
        order = world.roapp_order(number)
        copy = roapp.add_order(
            order["branch_id"], order["order_type_id"], order["client_id"],
            manager_notes=order["manager_notes"], manager_id=order["manager_id"],
        )  # fmt: skip
        for item in roapp.items[order["id"]]:
            roapp.add_item(copy, **{name: value for name, value in item.items() if name != "id"})
        roapp.delete_order(order["id"])
        world.reconciled(repair=True)
    else:
        world.purged()
        world.imported()
    world.synced()
    assert (len(world.roapp_items(number)), world.total(number), world.held()) == (1, 350, {})


def test_a_delivery_line_is_not_doubled_by_another_service_and_a_lost_ledger(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    (first,) = roapp.services
    second = first + 7
    roapp.services[second] = {**roapp.services[first], "id": second}
    number = shop.place_order(articles=[("CAP-2", 1)], delivery_price=60, **PLAIN)
    world.imported(world.shop(delivery_service_id=first))
    world.purged()
    config = world.shop(delivery_service_id=second)
    world.imported(config)
    world.synced(config)
    assert (len(world.roapp_items(number)), world.total(number), world.held(config)) == (2, 410, {})


def test_an_order_that_staff_delete_costs_no_other_its_total(world: World) -> None:
    """Staff delete one of two orders between the list that shows their totals and the reading of its lines."""
    roapp = world.box.roapp
    roapp.faults.line_rounding = "whole"
    world.imported()
    gone, other = world.placed(("KR-799", 1), less="10.40"), world.placed(("KR-799", 1), less="11.40")
    done: list[str] = []

    def listen(method: str, path: str, phase: str) -> None:
        if method == "GET" and path.endswith("/items") and phase == "before" and not done:
            done.append(path)
            roapp.delete_order(world.roapp_order(gone)["id"])

    stop = roapp.on_call(listen)
    world.synced()
    stop()
    assert done
    world.synced()
    assert world.held() == {("total", other): "total-differs"}


@pytest.mark.parametrize("fault", ["error", "error_after"])
def test_staffs_status_after_an_unclear_one_that_the_shop_took_back(database: str, fault: str) -> None:
    with World.of(database, **BARE, settings={"unclear_wait": 0.5}) as world:
        shop, roapp, statuses = world.box.shops[0], world.box.roapp, world.shop().statuses
        number = shop.place_order(articles=[("CAP-2", 1)], status=1)
        world.imported()
        shop.set_status(number, 2)
        roapp.faults.fail(fault, 1, method="POST", path="/status$")
        asyncio.run(until_unclear(world))
        shop.set_status(number, 1)  # the shop is where both had agreed
        roapp.set_status(world.roapp_order(number)["id"], statuses[6])  # staff
        world.synced()
        world.synced()
        assert world.roapp_order(number)["status_id"] == statuses[6]


def test_staffs_client_stays_though_a_change_of_the_notes_was_unclear(database: str) -> None:
    with World.of(database, **BARE, settings={"retries": 1, "unclear_wait": 0.1}) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        one, two = (world.placed(("KR-799", 1), delivery_phone=phone, delivery_email="") for phone in (P1, P2))
        world.imported()
        other = world.roapp_order(two)["client_id"]
        roapp.edit_order(world.roapp_order(one)["id"], client_id=other)  # staff
        shop.set_waybill(one, "20450000000001")
        roapp.faults.fail("error_after", 1, method="PATCH", path="^/orders/")
        world.synced()
        world.synced()
        assert "20450000000001" in world.roapp_order(one)["manager_notes"]
        assert world.roapp_order(one)["client_id"] == other


def test_what_staff_write_while_lines_are_added_stays(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    number = shop.place_order(articles=[("CAP-2", 1)])
    world.imported()
    order = world.roapp_order(number)
    shop.add_line(number, "KR-799", 1)
    shop.set_waybill(number, "20450000000001")

    def listen(method: str, path: str, phase: str) -> None:
        if method == "POST" and path.endswith("/items") and phase == "applied":
            roapp.edit_order(order["id"], manager_notes=order["manager_notes"] + "\nзателефонувати")

    stop = roapp.on_call(listen)
    world.synced()
    stop()
    notes = world.roapp_order(number)["manager_notes"]
    assert "20450000000001" in notes
    assert "зателефонувати" in notes


def test_a_refused_phone_whose_first_order_is_not_imported_again(world: World) -> None:
    shop = world.box.shops[0]
    world.box.roapp.faults.refused_phones = (P1,)
    order = {"articles": [("CAP-2", 1)], "delivery_phone": P1, "delivery_email": ""}
    first, _ = shop.place_order(**order), shop.place_order(**order)
    world.imported()
    (made,) = world.made_contacts()
    shop.set_status(first, 3)
    world.synced()
    world.purged()
    world.imported()
    world.synced()
    assert [row["id"] for row in world.made_contacts()] == [made["id"]]


def test_an_unclear_create_and_a_location_that_is_edited_before_it_is_found(database: str) -> None:
    with World.of(database, **BARE, settings={"unclear_wait": 0.5}) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        world.imported()
        number = shop.place_order(articles=[("CAP-2", 1)], **PLAIN)
        roapp.faults.fail("drop_after", 1, method="POST", path="^/orders$")
        asyncio.run(until_unclear(world))
        config = world.shop(location_id=sorted(roapp.locations)[1])
        world.synced(config)
        assert world.held(config) == {}
        assert len(world.roapp_orders(config)[number]) == 1
