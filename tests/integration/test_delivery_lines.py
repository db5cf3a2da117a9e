"""The lines of RO App's order follow the shop's, and what staff did to them stays."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from world import World

from cartum_roapp.apis.roapp import RoApp, client
from cartum_roapp.apis.roapp.rows import RoItem
from cartum_roapp.errors import BadConfig, Retryable


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        yield world


@pytest.fixture
def number(world: World) -> str:
    """An order of two lines, in RO App already."""
    number = world.placed(("KR-799", 1), ("LMP-07", 2))
    world.imported()
    assert world.differences(world.shop(), [number]) == []
    return number


def lines(world: World, number: str) -> list[tuple[str, Decimal, Decimal]]:
    """(code, price, quantity) of the lines that are worth something."""
    products = world.box.roapp.products
    return sorted(
        (products[item["entity_id"]]["code"], Decimal(str(item["price"])), Decimal(str(item["quantity"])))
        for item in world.roapp_items(number)
    )


def same(world: World, number: str) -> None:
    assert world.held() == {}
    assert world.differences(world.shop(), [number]) == []


def test_every_change_of_a_line_arrives(world: World, number: str) -> None:
    shop = world.box.shops[0]
    steps = (
        lambda: shop.change_line(number, 0, quantity=3),
        lambda: shop.change_line(number, 0, price=700),
        lambda: shop.change_line(number, 1, price=1000.5, quantity=1),
        lambda: shop.add_line(number, "CAP-2", 2),
        lambda: shop.remove_line(number, 0),
        lambda: shop.add_line(number, "KR-799", 1),
        lambda: shop.remove_line(number, 0),
        lambda: shop.add_line(number, "LMP-07", 4),
    )
    for step in steps:
        step()
        world.synced()
        same(world, number)
    assert len(world.box.roapp.items[world.roapp_order(number)["id"]]) <= 4, "a line that is back takes its old place"


def test_two_lines_of_one_product_at_two_prices_stay_two(world: World, number: str) -> None:
    shop = world.box.shops[0]
    shop.add_line(number, "KR-799", 1, price=500)
    shop.add_line(number, "KR-799", 2)  # the same price as the first: one line of three
    world.synced()
    same(world, number)
    assert [one for one in lines(world, number) if one[0] == "KR-799"] == [
        ("KR-799", Decimal(500), Decimal(1)), ("KR-799", Decimal(799), Decimal(3)),
    ]  # fmt: skip
    shop.change_line(number, 2, price=400)
    world.synced()
    same(world, number)
    shop.change_line(number, 2, price=799)  # now all of one price
    world.synced()
    same(world, number)


def test_a_line_that_staff_added_stays_whatever_the_shop_changes(world: World, number: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    own = roapp.add_product("Гравіювання", code="R-OWN")
    item = dict(roapp.items[world.roapp_order(number)["id"]][0])
    del item["id"]
    roapp.add_item(world.roapp_order(number)["id"], **{**item, "entity_id": own, "price": 99, "quantity": 1})
    shop.change_line(number, 0, quantity=2)
    shop.remove_line(number, 1)
    world.synced()
    assert lines(world, number) == [
        ("KR-799", Decimal(799), Decimal(2)), ("R-OWN", Decimal(99), Decimal(1)),
    ]  # fmt: skip


def test_a_quantity_that_staff_changed_stays_until_the_shop_changes_that_line(world: World, number: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    first, second = roapp.items[world.roapp_order(number)["id"]]
    first["quantity"], second["quantity"] = 9, 8
    roapp.touch(world.roapp_order(number)["id"])
    shop.set_waybill(number, "20450000000001")
    world.synced()
    assert [one[2] for one in lines(world, number)] == [9, 8]
    shop.change_line(number, 1, quantity=5)
    world.synced()
    assert [one[2] for one in lines(world, number)] == [9, 5]


def test_an_answer_that_was_lost_once_costs_no_change_of_staff(world: World, number: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    shop.change_line(number, 0, quantity=3)
    roapp.faults.fail("drop_after", method="PATCH", path="/items/")
    world.synced()  # the second try was answered
    first, _ = roapp.items[world.roapp_order(number)["id"]]
    first["quantity"] = 9
    roapp.touch(world.roapp_order(number)["id"])
    time.sleep(1)  # nothing of it can arrive any more
    shop.set_waybill(number, "20450000000001")
    world.synced()
    assert [one[2] for one in lines(world, number)] == [9, 2]


def test_a_line_that_staff_took_out_stays_out_until_the_shop_changes_it(world: World, number: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    items = roapp.items[world.roapp_order(number)["id"]]
    del items[0]
    roapp.touch(world.roapp_order(number)["id"])
    shop.change_line(number, 1, quantity=5)
    world.synced()
    assert lines(world, number) == [("LMP-07", Decimal(1150), Decimal(5))]
    shop.remove_line(number, 0)
    world.synced()
    same(world, number)
    shop.add_line(number, "KR-799", 2)
    world.synced()
    same(world, number)


def test_after_goods_are_written_off_the_lines_stay_and_a_note_says_so(world: World, number: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    roapp.write_off(world.roapp_order(number)["id"])
    before = lines(world, number)
    shop.change_line(number, 0, quantity=7)
    shop.add_line(number, "CAP-2", 1)
    shop.set_status(number, 2)
    shop.set_waybill(number, "20450000000001")
    world.synced()
    assert lines(world, number) == before
    assert "списано" in world.roapp_order(number)["manager_notes"]
    assert "20450000000001" in world.roapp_order(number)["manager_notes"]
    assert world.roapp_order(number)["status_id"] == world.shop().statuses[2]
    assert world.held() == {}
    assert roapp.oddities == []
    shop.set_status(number, 6)
    world.synced()
    assert "списано" in world.roapp_order(number)["manager_notes"]


def test_a_line_that_ro_app_does_not_let_go_is_held_until_the_shop_has_it_again(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0, zero_quantity=False) as world:
        shop = world.box.shops[0]
        number = world.placed(("KR-799", 1), ("LMP-07", 2))
        world.imported()
        shop.remove_line(number)
        world.synced()
        assert list(world.held().values()) == ["line-not-removable"]
        shop.add_line(number, "LMP-07", 3)
        world.synced()
        same(world, number)


@pytest.mark.parametrize("refusal", ["rate", "unauthorized"])
def test_a_line_that_is_not_let_go_for_a_while_goes_with_the_next_try(
    database: str, monkeypatch: pytest.MonkeyPatch, refusal: str
) -> None:
    """Only what RO App says of the line itself is a person's."""
    monkeypatch.setattr("cartum_roapp.delivery.drain.backoff", lambda attempts: 0.01)
    with World.of(database, orders=0, delivered=0, older=0, settings={"retry_base": 0.001}) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        number = shop.place_order(articles=[("KR-799", 1), ("LMP-07", 2)])
        world.imported()
        gone = roapp.items[world.roapp_order(number)["id"]][0]["id"]
        roapp.faults.fail(refusal, 99, method="PATCH", path=f"/items/{gone}$")
        shop.remove_line(number, 0)
        with suppress(Retryable, BadConfig):
            world.synced()
        roapp.faults.calm()
        shop.set_waybill(number, "20450000000001")
        world.synced()
        same(world, number)


def test_a_line_added_after_its_manager_has_left_goes_to_another_one(world: World, number: str) -> None:
    roapp = world.box.roapp
    roapp.dismiss_employee(world.roapp_order(number)["manager_id"])
    world.box.shops[0].add_line(number, "CAP-2", 2)
    world.synced()
    same(world, number)
    assert roapp.employees[roapp.items[world.roapp_order(number)["id"]][-1]["assignee_id"]]["is_active"]


@pytest.mark.parametrize("read_back", ["fails", "lags"])
def test_a_line_whose_id_is_not_told_is_looked_for_and_not_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch, read_back: str
) -> None:
    roapp = world.box.roapp
    monkeypatch.setattr(client, "accept", lambda content: None)
    if read_back == "fails":
        roapp.faults.fail("error", world.settings.retries, method="GET", path=r"^/orders/\d+/items$")
    items, blind = RoApp.items, [1] if read_back == "fails" else [1, 2]

    async def shown(self: RoApp, order_id: int) -> list[Any]:
        found: list[RoItem] = await items(self, order_id)
        return [] if blind and blind.pop() else found

    monkeypatch.setattr(RoApp, "items", shown)
    number = world.box.shops[0].place_order(articles=[("KR-799", 1)])
    world.imported()
    assert blind == []
    assert len(roapp.items[world.roapp_order(number)["id"]]) == 1
    same(world, number)


def test_a_line_that_is_never_shown_is_held_after_its_second_try(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(self: RoApp, order_id: int) -> list[Any]:
        return []

    monkeypatch.setattr(client, "accept", lambda content: None)
    monkeypatch.setattr(RoApp, "items", nothing)
    number = world.box.shops[0].place_order(articles=[("KR-799", 1)])
    world.imported()
    assert world.held() == {("order", number): "line-lost"}
    assert len(world.roapp_items(number)) == 2
    world.settings = world.settings.model_copy(update={"look_again": 0.0})
    world.box.shops[0].set_waybill(number, "20450000000001")
    for _ in range(2):
        world.synced()
    assert world.held() == {("order", number): "line-lost"}
    assert len(world.roapp_items(number)) == 2, "a third one would not be shown either"
