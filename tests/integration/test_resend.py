"""`order resend`: an order is compared with RO App whatever was sent there, and put right; nothing is doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from world import World

from cartum_roapp.ledger import erasure, held, held_selection, journal, outbox
from cartum_roapp.ledger.journal import Kind
from cartum_roapp.ledger.outbox import Ask

pytestmark = pytest.mark.drawn(2)

Row = dict[str, Any]


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database) as world:
        yield world


def resent(world: World, *numbers: str, **settings: Any) -> list[Row]:
    world.box.roapp.clear_calls()
    return asyncio.run(world.resend(world.shop(**settings), numbers))


def writes(world: World) -> list[str]:
    return [f"{call.method} {call.path}" for call in world.box.roapp.calls if call.method != "GET"]


def placed(world: World, **fields: Any) -> str:
    """An order with one line, twice the shop's first product, that RO App has."""
    shop = world.box.shops[0]
    number = shop.place_order(articles=[(shop.goods[0].article, 2)], **fields)
    world.imported()
    return number


def staff_edit(world: World, order: int, **fields: Any) -> None:
    """Staff change the order's first line in RO App."""
    world.box.roapp.items[order][0].update(fields)
    world.box.roapp.touch(order)


def test_an_order_that_roapp_has_as_it_is_gets_no_write(world: World) -> None:
    number = placed(world)
    (one,) = resent(world, number)
    assert (one["outcome"], one["written"]) == ("delivered", [])
    assert writes(world) == []
    assert world.box.roapp.calls, "it was looked at"
    assert one["roapp_number"] == world.roapp_order(number)["number"]


def test_what_staff_changed_in_roapp_is_put_right(world: World) -> None:
    number, roapp = placed(world, delivery_phone="+380671234509"), world.box.roapp
    before, item = dict(world.roapp_order(number)), dict(world.roapp_items(number)[0])
    head, _, _ = before["manager_notes"].partition("\n")
    staff_edit(world, before["id"], quantity=5, price=1)
    other = next(id for id in sorted(roapp.statuses) if id != before["status_id"])
    roapp.edit_order(before["id"], status_id=other, manager_notes=f"{head}\n———\nДопис")
    roapp.edit_contact(before["client_id"], first_name="Пані", notes="VIP")
    contact = dict(roapp.contacts[before["client_id"]])
    (one,) = resent(world, number)
    assert one["outcome"] == "delivered"
    assert len(one["written"]) == len(writes(world)) == 3
    after, line = world.roapp_order(number), world.roapp_items(number)[0]
    assert (line["id"], Decimal(str(line["quantity"]))) == (item["id"], 2)
    assert Decimal(str(line["price"])) == Decimal(str(item["price"]))
    assert after["status_id"] == before["status_id"]
    assert after["manager_notes"] == f"{before['manager_notes']}\nДопис"
    assert roapp.contacts[before["client_id"]] == contact, "what RO App has of a contact is never changed"
    assert world.differences(world.shop(), [number], left_out=world.box.shops[0].qualifying()) == []


def test_what_staff_change_while_it_is_held_stays(world: World) -> None:
    """It is asked for once: what of it is carried before something is refused is not sent with each further try."""
    number, roapp = placed(world), world.box.roapp
    order = world.roapp_order(number)
    staff_edit(world, order["id"], quantity=5)
    roapp.faults.fail("error", 99, method="PATCH", path=r"/items/\d+$", status=422)
    assert [one["outcome"] for one in resent(world, number)] == ["held"]
    roapp.faults.calm()
    roapp.edit_order(order["id"], estimated_price=77)
    world.settings = world.settings.model_copy(update={"look_again": 0.0})
    world.synced()
    assert world.held() == {}
    assert Decimal(str(world.roapp_items(number)[0]["quantity"])) == 2, "the rest follows"
    assert Decimal(str(world.roapp_order(number)["estimated_price"])) == 77


def test_what_staffs_words_leave_no_room_for_is_said_in_the_feed_once(world: World) -> None:
    comment = ("Зателефонувати за годину до доставки. " * 5).strip() + " КІНЕЦЬ"
    number = placed(world, comment=comment)
    order = world.roapp_order(number)
    words = ("слово майстра про ремонт " * 30).strip()
    world.box.roapp.edit_order(order["id"], manager_notes=f"{order['manager_notes']}\n{words}")
    for _ in range(2):
        resent(world, number)
    said = [one["comment"] for one in world.box.roapp.comments_of(order["id"])]
    assert sum(comment in one for one in [world.roapp_order(number)["manager_notes"], *said]) == 1
    assert writes(world) == []


def test_a_line_that_staff_took_out_is_there_again_once(world: World) -> None:
    number, roapp = placed(world), world.box.roapp
    order = world.roapp_order(number)["id"]
    roapp.items[order].clear()
    for _ in range(2):
        resent(world, number)
        assert len(world.roapp_items(number)) == 1
    assert writes(world) == []


def test_once_goods_are_written_off_no_line_is_touched(world: World) -> None:
    number, roapp = placed(world), world.box.roapp
    order = world.roapp_order(number)["id"]
    staff_edit(world, order, quantity=5)
    roapp.write_off(order)
    (one,) = resent(world, number)
    assert one["outcome"] == "delivered"
    assert Decimal(str(world.roapp_items(number)[0]["quantity"])) == 5
    assert not [call for call in writes(world) if "/items" in call]


def test_a_status_of_staff_is_left_where_statuses_travel_both_ways(world: World) -> None:
    number, roapp = placed(world), world.box.roapp
    order = dict(world.roapp_order(number))
    other = next(id for id in sorted(roapp.statuses) if id != order["status_id"])
    roapp.edit_order(order["id"], status_id=other)
    resent(world, number, status_direction="both")
    assert world.roapp_order(number)["status_id"] == other


def test_it_is_read_from_the_shop_and_goes_before_everything_else(world: World) -> None:
    shop, number = world.box.shops[0], placed(world)
    shop.change_line(number, quantity=7)
    stranger = str(int(number) + 1000)
    found = resent(world, number, stranger)
    assert [one["outcome"] for one in found] == ["delivered", "missing"]
    assert Decimal(str(world.roapp_items(number)[0]["quantity"])) == 7
    (queued,) = journal.of_order(world.engine, world.shop().key, number, [Kind.QUEUED])
    assert queued.details["because"] == "a person sends it again"
    assert world.value("SELECT priority FROM outbox WHERE number = :number", number=number) == 0
    with world.engine.begin() as connection:
        outbox.ask(connection, world.shop().key, [number], Ask.SEND)
        assert world.value("SELECT count(*) FROM outbox WHERE ask <> ''") == 0, "forgotten with the delivery"


def test_a_total_that_a_person_has_left_as_it_is_holds_no_order(world: World) -> None:
    shop, key = world.box.shops[0], world.shop().key
    number = placed(world)
    world.box.roapp.faults.line_rounding = "whole"
    shop.edit(number, total_sum=float(Decimal(str(shop.orders[number]["total_sum"])) - Decimal("0.40")))
    world.synced()
    assert world.held() == {("total", number): "total-differs"}
    with world.engine.begin() as connection:
        held.dismiss(connection, key, held_selection.find(world.engine, key, [number]), "agreed by phone")
    (one,) = resent(world, number)
    assert (one["outcome"], one["message"]) == ("delivered", None)


def test_all_orders_are_agreed_on_anew_but_what_staff_may_have_set_stays(world: World) -> None:
    """Without them, nobody would look at the orders before the shop changes them."""
    number, roapp = placed(world), world.box.roapp
    before, numbers = dict(world.roapp_order(number)), set(world.roapp_orders(world.shop()))
    staff_edit(world, before["id"], quantity=5, price=1)
    other, client = max(roapp.statuses), roapp.add_contact(first_name="Пані", phone=["380671234599"])
    roapp.edit_order(before["id"], status_id=other, client_id=client)
    world.box.shops[0].set_status(number, 2)
    world.synced()
    roapp.edit_order(before["id"], status_id=other)
    assert Decimal(str(world.roapp_items(number)[0]["quantity"])) == 5
    found = resent(world)
    assert {one["number"] for one in found} == numbers
    assert {one["number"]: len(one["written"]) for one in found if one["written"]} == {number: 1}
    after, (line,) = world.roapp_order(number), world.roapp_items(number)
    assert (after["status_id"], after["client_id"]) == (other, client)
    assert Decimal(str(line["quantity"])) == 2
    assert world.held() == {("status", number): "status-differs"}, "a person is told"
    assert {len(rows) for rows in world.roapp_orders(world.shop()).values()} == {1}


def test_what_is_left_as_it_is_is_not_sent_with_all_orders(world: World) -> None:
    shop, roapp, key = world.box.shops[0], world.box.roapp, world.shop().key
    erased = shop.place_order(articles=[(shop.goods[0].article, 1)], delivery_phone="+380671234509")
    deleted = placed(world)
    roapp.faults.required_order_fields = ("ad_campaign_id",)
    dismissed = shop.place_order(articles=[(shop.goods[0].article, 1)])
    roapp.delete_order(world.roapp_order(deleted)["id"])
    shop.set_waybill(deleted, "20450000000077")
    world.synced()
    roapp.faults.required_order_fields = ()
    with world.engine.begin() as connection:
        held.dismiss(connection, key, held_selection.find(world.engine, key, [dismissed]))
        erasure.erase(connection, key, erasure.find(connection, key, "number", erased, "UA"), "number")
    found = {one["number"] for one in resent(world)}
    assert found.isdisjoint({deleted, erased, dismissed}) and found
    assert world.held() == {("order", deleted): "deleted-in-roapp"}
    assert dismissed not in world.roapp_orders(world.shop())
