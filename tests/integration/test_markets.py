"""A Moldovan shop, and one that is years old: everything arrives, in the shop's language, currency and country."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from world import Row, World

from cartum_roapp.orders.phones import e164

OLD: Row = {
    "undefined_functions": ("orders/get_available_statuses",), "datetimes": "refused", "offset_ignored": True,
    "expression_ignored": True, "numbers_as_strings": True,
}  # fmt: skip


def shop_of(world: World, **changes: Any) -> Any:
    return world.shop(timezone="Europe/Chisinau", **{"language": "ro", **changes})


@pytest.mark.parametrize("switches", [{}, OLD], ids=["new", "old"])
def test_a_moldovan_shop_arrives_whole(database: str, switches: Row) -> None:
    where = {"markets": ("md",), "currency": "MDL"}
    with World.of(database, orders=8, delivered=1, older=1, **where, **switches) as world:
        box, config = world.box.shops[0], shop_of(world)
        world.imported(config)
        world.synced(config)
        assert world.held(config) == {}
        orders = world.roapp_orders(config)
        assert sorted(orders) == sorted(box.qualifying())
        for number in box.qualifying():
            (order,), row = orders[number], box.orders[number]
            assert Decimal(order["total"]) == Decimal(str(row["total_sum"]))
            assert "Comanda " in order["manager_notes"]
            assert " MDL" in order["manager_notes"]
            phones = {e164(one["phone"], "MD") for one in world.box.roapp.contacts[order["client_id"]]["phones"]}
            assert e164(row["delivery_phone"], "MD") in phones | {""}
        assert world.synced(config).calls.roapp_writes == 0


def test_a_language_that_the_shop_has_not_falls_back(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0, markets=("md",), currency="MDL") as world:
        box, config = world.box.shops[0], shop_of(world, language="de")
        good = next(good for good in box.goods if good.article == "KR-799")
        for id_ in [id_ for id_, one in world.box.roapp.products.items() if one["code"] == good.article]:
            world.box.roapp.delete_product(id_)
        box.place_order(articles=[(good.article, 1)])
        world.imported(config)
        assert [one["title"] for one in world.made_products()] == [good.title("en")]


def test_prices_with_the_discount_in_line_and_total_are_taken_as_they_are(database: str) -> None:
    """The shop names a discount of the order that is in its prices already, or lowers the line's total only."""
    with World.of(database, orders=0, delivered=0, older=0) as world:
        box = world.box.shops[0]
        both = box.place_order(articles=[("KR-799", 2)])
        box.edit(both, total_default=1998, total_sum=1598, discount_percent=20, discount_value=400)
        line = box.place_order(articles=[("KR-799", 2)])
        row = dict(box.orders[line]["products"][0], total_price=1198)
        box.edit(line, products=[row], total_default=1198, total_sum=1198)
        world.imported()
        assert world.held() == {}
        (item,) = world.roapp_items(both)
        assert (Decimal(str(item["price"])), item["discount"]["amount"]) == (799, 0), "nothing is taken off twice"
        assert [Decimal(world.roapp_order(number)["total"]) for number in (both, line)] == [1598, 1198]
        assert world.reconciled()["findings"] == []


def test_an_order_in_a_sign_or_a_name_is_in_that_currency(database: str) -> None:
    """By its sign, CLDR's name, the shop's title, or the merchant's word. An order with an unknown name is held."""
    with World.of(database, orders=0, delivered=0, older=0) as world:
        shop = world.box.shops[0]
        theirs = "₴", "Грн.", "українська гривня", "наші", "$", "дол.", "€", "у.е.", "бакси", "тугрики"
        numbers = [world.placed(("KR-799", 1)) for _ in theirs]
        for number, name in zip(numbers, theirs, strict=True):
            shop.edit(number, currency=name)
        world.imported(world.shop(currency_names="наші = UAH, бакси = USD"))
        assert sorted(world.roapp_orders(world.shop())) == sorted(numbers[:4])
        assert set(world.held()) == {("order", number) for number in numbers[4:]}
        assert set(world.held().values()) == {"currency-differs"}
        fixes = [world.value("SELECT fix FROM held WHERE id = :id", id=one) for one in numbers[-3:]]
        assert ["currency_names" in fix for fix in fixes] == [False, False, True]
        world.synced(world.shop(currency_names="наші = UAH, тугрики = UAH"))
        assert ("order", numbers[-1]) not in world.held()
        assert world.total(numbers[-1]) == 799
