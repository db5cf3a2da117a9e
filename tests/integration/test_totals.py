"""RO App's total is the shop's total_sum, to the cent (design §2, P9)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from world import World

from cartum_roapp.delivery.drain import IN_FLIGHT
from cartum_roapp.ledger import held
from sandbox.cartum_shop import CartumShop
from sandbox.order_rows import order_line

ACCOUNTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "rounded-down": {"line_rounding": "down"},
    "no-totals": {"order_totals": False},
    "filter-ignored": {"filter_form": "ignored"},
}


@pytest.mark.parametrize("switches", ACCOUNTS.values(), ids=ACCOUNTS)
def test_the_first_import_and_every_change(database: str, switches: dict[str, Any]) -> None:
    with World.of(database, orders=14, **switches) as world:
        shop, config = world.box.shops[0], world.shop()
        numbers = shop.qualifying()
        for index, number in enumerate(numbers):
            give_discount(shop, number, index)
        world.imported()
        assert totals(world) == wanted(world), "after the import"
        assert world.differences(config, numbers) == []
        assert world.held() == {}
        for index, number in enumerate(numbers):
            give_discount(shop, number, index + 3)
        world.synced()
        assert totals(world) == wanted(world), "after a change"
        assert world.held() == {}
        world.box.roapp.clear_calls()
        world.synced()
        assert not world.box.roapp.writes()


def give_discount(shop: CartumShop, number: str, how: int) -> None:
    row = shop.orders[number]
    gross = sum(Decimal(str(line["price"])) * line["quantity"] for line in row["products"])
    off = [Decimal(200), gross / 10, Decimal("0.01"), Decimal(0), -Decimal("30.05"), gross, gross / 3][how % 7]
    if how % 2:
        row["products"][0]["quantity"] += 2
        gross += Decimal(str(row["products"][0]["price"])) * 2
    total = max(Decimal(0), gross - off).quantize(Decimal("0.01"))
    shop.edit(number, total_default=float(gross), total_sum=float(total), coupon_code="SALE", products=row["products"])


def totals(world: World) -> dict[str, Decimal]:
    return {number: Decimal(order["total"]) for number, (order,) in world.roapp_orders(world.shop()).items()}


def wanted(world: World) -> dict[str, Decimal]:
    shop = world.box.shops[0]
    return {number: Decimal(str(shop.orders[number]["total_sum"])) for number in shop.qualifying()}


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        yield world


def test_a_gift_of_none_and_a_correction_keep_no_order_out(world: World) -> None:
    shop = world.box.shops[0]
    number = world.placed(("KR-799", 2), ("CAP-2", 1))
    shop.add_line(number, "", price=-50.05, title="Поправка")
    shop.add_line(number, "UMB-1", 0)
    goods = [(line["price"], line["quantity"]) for line in shop.orders[number]["products"][:2]]
    shop.edit(number, total_sum=round(sum(price * quantity for price, quantity in goods) - 50.05, 2))
    none = world.placed(("CAP-2", 1))
    shop.change_line(none, 0, quantity=0)
    shop.edit(none, total_sum=0)
    world.imported()
    assert world.held() == {}
    assert world.total(number) == Decimal(str(shop.orders[number]["total_sum"]))
    assert sum(Decimal(str(item["quantity"])) for item in world.roapp_items(number)) == 3
    notes = world.roapp_order(number)["manager_notes"]
    assert "Поправка: 1 × −50.05" in notes and f"{shop.good('UMB-1').title('ua')}: 0 × " in notes
    assert (world.total(none), world.roapp_items(none)) == (0, [])
    shop.edit(number, products=shop.orders[number]["products"][:2], coupon_code="")
    shop.edit(number, total_sum=round(sum(price * quantity for price, quantity in goods), 2))
    world.synced()
    assert world.total(number) == Decimal(str(shop.orders[number]["total_sum"])), "and when the correction is gone"


def reads(world: World) -> list[str]:
    return [call.path for call in world.box.roapp.calls if call.method == "GET" and call.path.startswith("/orders")]


def test_totals_of_many_orders_are_read_in_one_call(world: World) -> None:
    """But for those in flight when the first call is made."""
    numbers = [world.placed(("KR-799", 1), less="200", status=2) for _ in range(20)]
    world.imported()
    assert {world.total(number) for number in numbers} == {Decimal(599)}
    calls = [call for call in world.box.roapp.calls if call.method == "GET"]
    alone = {call.path for call in calls if call.path.removeprefix("/orders/").isdecimal()}
    together = [[name for name, _ in call.query if name.startswith("ids")] for call in calls]
    assert len(max(together, key=len)) >= len(numbers) - IN_FLIGHT
    assert len(alone) <= IN_FLIGHT
    assert len([ids for ids in together if ids]) <= IN_FLIGHT


def test_one_order_that_is_not_shown_hides_no_other_total(world: World) -> None:
    """In an account that can't filter by ids."""
    roapp = world.box.roapp
    roapp.faults.switch(filter_form="ignored", line_rounding="whole")
    numbers = [world.placed(("KR-799", 1), less="0.40") for _ in range(3)]
    world.imported()
    assert world.held() == dict.fromkeys((("total", number) for number in numbers), "total-differs")
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE order_matches SET total = NULL"))
        connection.execute(text("DELETE FROM held"))
    refused = min(numbers, key=lambda number: world.roapp_order(number)["id"])
    roapp.faults.fail("error", 999, method="GET", path=f"^/orders/{world.roapp_order(refused)['id']}$", status=422)
    world.placed(("KR-799", 1))
    world.synced()
    assert set(world.held()) == {("total", number) for number in numbers if number != refused}


def test_a_reading_for_the_status_shows_the_total_as_well(world: World) -> None:
    """The account's first order has shown in which status RO App begins orders."""
    world.placed(("KR-799", 1), status=1)
    world.imported()
    world.box.roapp.clear_calls()
    number = world.placed(("KR-799", 1), less="200", status=1)
    world.synced()
    assert world.total(number) == 599
    assert len([path for path in reads(world) if path.startswith("/orders/6")]) == 1


def test_a_ledger_that_is_lost_changes_no_line(world: World) -> None:
    number = world.placed(("KR-799", 3), ("CAP-2", 1), less="100.01")
    world.imported()
    before = len(world.roapp_items(number))
    world.purged()
    world.box.roapp.clear_calls()
    world.imported()
    assert (world.total(number), world.held()) == (Decimal("2646.99"), {})
    assert len(world.roapp_items(number)) == before
    assert not [call for call in world.box.roapp.writes() if "/items" in call.path]


def test_what_staff_added_or_changed_is_no_difference(world: World) -> None:
    roapp, shop = world.box.roapp, world.box.shops[0]
    number = world.placed(("KR-799", 2), less="98")
    world.imported()
    order = world.roapp_order(number)
    item = {name: value for name, value in roapp.items[order["id"]][0].items() if name != "id"}
    none = {"type": "percentage", "percentage": 0, "amount": 0, "sponsor": "staff"}
    own = roapp.add_product("Гравіювання", code="R-OWN")
    roapp.add_item(order["id"], **{**item, "entity_id": own, "price": 99, "quantity": 1, "discount": none})
    shop.edit(number, total_sum=1490)
    world.synced()
    assert (world.total(number), world.held()) == (Decimal(1490 + 99), {})
    second = world.placed(("KR-799", 1), ("CAP-2", 1))
    world.synced()
    item = next(item for item in world.roapp_items(second) if Decimal(str(item["price"])) == 799)
    item["discount"] = {**item["discount"], "type": "percentage", "percentage": 10}
    shop.change_line(second, 1, quantity=2)
    shop.edit(second, total_sum=799 + 700)
    world.synced()
    assert (world.total(second), world.held()) == (Decimal("719.10") + 700, {}), "a discount that staff gave"
    roapp.items[order["id"]][0]["price"] = 700
    roapp.touch(order["id"])
    shop.set_status(number, 2)
    world.synced()
    assert (world.total(number), world.held()) == (Decimal(1400 + 99), {}), "a price that staff changed"
    shop.edit(number, total_sum=1480)
    world.synced()
    assert world.total(number) == 1400 + 99, "it stays theirs where only the discount changed"
    assert world.held() == {("total", number): "total-differs"}, "which the line does not carry"
    asyncio.run(world.resend(world.shop(), [number]))
    world.synced()
    assert (world.total(number), world.held()) == (Decimal(1480 + 99), {})


def test_a_total_that_can_not_be_reached_is_held_with_both_figures(world: World) -> None:
    roapp, shop = world.box.roapp, world.box.shops[0]
    roapp.faults.line_rounding = "whole"
    number = world.placed(("KR-799", 1), less="0.40")
    world.imported()
    (one,) = held.listed(world.engine)
    assert (one.entity, one.id, one.code) == ("total", number, "total-differs")
    assert "799.00 UAH" in one.message and "798.60" in one.message
    shop.set_waybill(number, "20450000000001")
    shop.set_status(number, 2)
    world.synced()
    assert "20450000000001" in world.roapp_order(number)["manager_notes"]
    assert world.roapp_order(number)["status_id"] == world.shop().statuses[2]
    roapp.faults.line_rounding = "half_up"
    roapp.touch(world.roapp_order(number)["id"])
    shop.set_waybill(number, "20450000000002")
    world.synced()
    assert (world.total(number), world.held()) == (Decimal("798.60"), {}), "it is compared again with each delivery"


def test_a_price_and_a_coupon_that_come_together(world: World) -> None:
    """The price that was sent is the shop's no more: it was never one that carries a discount."""
    shop = world.box.shops[0]
    world.placed(("KR-799", 2), less="98")
    number = world.placed(("TEA-100", 7))
    world.imported()
    shop.change_line(number, 0, price="110.9")
    shop.edit(number, total_sum=776.29, coupon_code="SALE")
    world.synced()
    assert priced(world, number) == [(Decimal("110.89"), 1), (Decimal("110.90"), 6)]
    assert (world.total(number), world.held()) == (Decimal("776.29"), {})


def priced(world: World, number: str) -> list[tuple[Decimal, Decimal]]:
    """The lines of one product as (unit price, quantity)."""
    return sorted((Decimal(str(item["price"])), Decimal(str(item["quantity"]))) for item in world.roapp_items(number))


def test_a_coupon_that_comes_and_goes_costs_a_change_of_prices(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    number = world.placed(("KR-799", 3), ("CAP-2", 1), less="100.01")
    world.imported()
    before = [item["id"] for item in world.roapp_items(number)]
    for total in (2747, 2700, 2646.99):
        roapp.clear_calls()
        shop.edit(number, total_sum=total)
        world.synced()
        assert (world.total(number), world.held()) == (Decimal(str(total)), {})
        assert {call.method for call in roapp.writes() if "/items" in call.path} == {"PATCH"}
        assert [item["id"] for item in world.roapp_items(number)] == before
    roapp.clear_calls()
    shop.edit(number, total_sum=float(Decimal("2646.99") - Decimal("0.01")))
    world.synced()
    assert len([call for call in roapp.writes() if "/items" in call.path]) == 2, "only where the cents differ"


def test_a_coupon_that_a_fractional_quantity_can_not_carry(world: World) -> None:
    """2.5 for 9.99 takes two lines, a cent a unit apart; a later change brings both to the shop's price."""
    number = world.placed(("TEA-100", 1))
    shop = world.box.shops[0]
    shop.change_line(number, 0, price="4.2", quantity=2.5)
    shop.edit(number, total_sum=9.99, coupon_code="SALE")
    world.imported()
    assert (world.total(number), world.held()) == (Decimal("9.99"), {})
    assert sum(Decimal(str(item["quantity"])) for item in world.roapp_items(number)) == Decimal("2.5")
    world.box.roapp.clear_calls()
    world.synced()
    assert not world.box.roapp.writes()
    shop.edit(number, total_sum=10.5, coupon_code="")
    world.synced()
    assert (world.total(number), world.held()) == (Decimal("10.50"), {})
    assert world.differences(world.shop(), [number]) == []


def test_a_sum_that_the_shop_does_not_round_is_rounded_once(world: World) -> None:
    """0.126 at 89.96: 11.33496, which is 11.3350 with four decimals."""
    number = world.placed(("TEA-100", 1))
    shop = world.box.shops[0]
    shop.change_line(number, 0, price="89.96", quantity=0.126)
    shop.edit(number, total_default=11.33496, total_sum=11.33496, coupon_code="")
    world.imported()
    assert (world.total(number), world.held()) == (Decimal("11.33"), {})
    assert world.reconciled()["findings"] == []


def test_a_coupon_after_the_write_off_changes_no_line_and_stands_in_the_notes(world: World) -> None:
    roapp, shop = world.box.roapp, world.box.shops[0]
    number = world.placed(("KR-799", 1))
    world.imported()
    roapp.write_off(world.roapp_order(number)["id"])
    shop.edit(number, total_sum=599)
    world.synced()
    assert world.total(number) == 799
    assert "599.00 UAH" in world.roapp_order(number)["manager_notes"]
    assert roapp.oddities == []


def test_a_set_or_its_parts_count(world: World) -> None:
    shop = world.box.shops[0]

    def line(article: str, price: int, kind: str) -> dict[str, Any]:
        return {**order_line(shop.good(article), "ua", 1, price=Decimal(price)), "type": kind}

    sums = {}
    for counted, (main, part) in {"set": (1200, 0), "parts": (0, 700), "both named": (1200, 700)}.items():
        rows = [line("SET-1", main, "set_main"), line("KR-799", part, "set_item"), line("CAP-2", 350, "product")]
        whole = max(main, part) + 350
        number = shop.place_order(products=rows, total_default=whole, total_sum=whole - 50)
        sums[number] = (counted, Decimal(whole - 50))
    world.imported()
    assert {number: world.total(number) for number in sums} == {number: whole for number, (_, whole) in sums.items()}
    assert all(len(world.roapp_items(number)) == 3 for number in sums), "all of it is to be sent"


def test_the_delivery_is_a_line_where_a_service_is_chosen(world: World) -> None:
    roapp, shop = world.box.roapp, world.box.shops[0]
    service = next(iter(roapp.services))
    number = world.placed(("KR-799", 1), less="200", delivery_price=60, payment_price=15)
    world.imported()
    assert world.total(number) == 599
    assert "674.00 UAH" in world.roapp_order(number)["manager_notes"], "to pay"
    assert Decimal(world.roapp_order(number)["estimated_price"]) == 599
    config = world.shop(delivery_service_id=service)
    for price, wanted in ((75, 674), (80, 679), (-1, 599), (0, 599), (60, 659)):
        shop.edit(number, delivery_price=price)
        world.synced(config)
        assert (world.total(number), world.held()) == (Decimal(wanted), {})
        assert Decimal(world.roapp_order(number)["estimated_price"]) == wanted
    (line,) = [item for item in world.roapp_items(number) if item["entity_id"] == service]
    assert Decimal(str(line["price"])) == 60
    assert world.reconciled(config)["findings"] == []


def test_the_estimated_price_follows_a_service_that_is_chosen_later(world: World) -> None:
    roapp, shop = world.box.roapp, world.box.shops[0]
    service = next(iter(roapp.services))
    number = world.placed(("KR-799", 1), delivery_price=50)
    world.imported()
    for config, status, wanted in (
        (world.shop(delivery_service_id=service), 2, 849),
        (world.shop(), 6, 799),
    ):
        shop.set_status(number, status)
        world.synced(config)
        seen = world.roapp_order(number)
        assert (Decimal(seen["total"]), Decimal(seen["estimated_price"])) == (wanted, wanted)
        roapp.clear_calls()
        shop.set_status(number, 7)
        world.synced(config)
        assert [call.method for call in roapp.writes()] == ["POST"], "the status alone"


def test_the_estimated_price_of_an_order_in_another_currency_stays(world: World) -> None:
    number = world.placed(("KR-799", 1))
    world.imported()
    world.box.shops[0].edit(number, currency="EUR", total_sum=25)
    world.synced()
    assert Decimal(world.roapp_order(number)["estimated_price"]) == 799
    assert "25.00 EUR" in world.roapp_order(number)["manager_notes"]
    world.box.shops[0].edit(number, currency="UAH", total_sum=700)
    world.synced()
    assert (Decimal(world.roapp_order(number)["estimated_price"]), world.held()) == (700, {})


def test_prices_that_have_the_discount_in_them_are_left_alone(world: World) -> None:
    number = world.placed(("KR-799", 1))
    world.box.shops[0].edit(number, total_default=999, total_sum=799, coupon_discount_value=200)
    world.imported()
    assert priced(world, number) == [(Decimal(799), 1)]


def test_prices_before_the_discount_stand_in_the_notes(world: World) -> None:
    number = world.placed(("KR-799", 1), less="200")
    world.imported()
    notes = world.roapp_order(number)["manager_notes"]
    assert "Знижка: SALE, −200.00 UAH" in notes
    assert "Ціни до знижки: Кросівки літні 799.00 UAH" in notes


def test_the_notes_of_a_paid_order_name_its_sum_and_why_it_has_a_discount(world: World) -> None:
    number = world.placed(("KR-799", 1), less="200", payed=1, manager_discount=200, manager_discount_title="Постійний")
    world.imported()
    notes = world.roapp_order(number)["manager_notes"]
    assert "До сплати" not in notes
    assert "Разом: 599.00 UAH" in notes
    assert "Знижка: SALE, Постійний, −200.00 UAH" in notes


def test_a_surcharge(world: World) -> None:
    number = world.placed(("KR-799", 2), less="-10.01")
    world.imported()
    assert (world.total(number), world.held()) == (Decimal("1608.01"), {})
    assert "Націнка: SALE, +10.01 UAH" in world.roapp_order(number)["manager_notes"]


def test_reconcile_finds_a_coupon_that_is_not_in_ro_app(world: World) -> None:
    roapp = world.box.roapp
    numbers = [world.placed(("KR-799", 1), less="200") for _ in range(3)]
    world.imported()
    assert world.reconciled()["findings"] == []
    order = world.roapp_order(numbers[1])
    roapp.items[order["id"]][0]["price"] = 799
    roapp.touch(order["id"])
    (found,) = world.reconciled()["findings"]
    assert (found["number"], found["what"]) == (numbers[1], "edited-in-roapp")
    assert (found["ledger_sum"], found["roapp_sum"]) == ("599.00", "799.00")


def test_currencies_are_compared_at_each_change(world: World) -> None:
    number = world.placed(("KR-799", 1))
    world.imported()
    world.box.shops[0].edit(number, currency="EUR")
    world.box.shops[0].set_status(number, 2)
    world.synced()
    assert world.held() == {("order", number): "currency-differs"}
    assert world.roapp_order(number)["status_id"] == world.shop().statuses[2], "the status goes on"
