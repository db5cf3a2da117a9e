"""Names, barcodes and prices that change in the shop's catalogue are read by age. RO App's product stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from world import World

from cartum_roapp.ledger import missing_products

CODE = "CAP-2"


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        yield world


def asked_for(world: World) -> list[Any]:
    """The calls that read the shop's catalogue."""
    return [call for call in world.box.shops[0].calls if "catalog/export" in call.path]


def price_of(product: dict[str, Any]) -> Decimal:
    return Decimal(str(product["prices"][0]["price"]))


def titles(text: str) -> dict[str, str]:
    return dict.fromkeys(("ua", "ru", "en", "ro"), text)


def test_a_new_barcode_is_read_after_a_day_and_not_before(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    config = world.shop(identify_products_by="barcode", missing_products="hold")
    old, new = "4820000000017", "4820000000024"
    shop.edit_good(CODE, gtin=old)
    product = roapp.add_product("Кепка", barcodes=[old])
    roapp.seeded["products"].add(product)
    number = shop.place_order(articles=[(CODE, 1)])
    world.imported(config)
    shop.edit_good(CODE, gtin=new)
    replaced = roapp.add_product("Кепка нова", barcodes=[new])
    calls = len(asked_for(world))
    second = shop.place_order(articles=[(CODE, 1)])
    world.synced(config)
    assert len(asked_for(world)) == calls  # within a day nobody asks again
    world.a_day_later()
    third = shop.place_order(articles=[(CODE, 1)])
    world.synced(config)
    assert len(asked_for(world)) == calls + 1
    entities = [world.roapp_items(one, config)[0]["entity_id"] for one in (number, second, third)]
    assert entities == [product, product, replaced]


def test_an_article_that_the_shop_does_not_list_is_asked_for_once_a_day(world: World) -> None:
    shop = world.box.shops[0]
    number = shop.place_order(articles=[(CODE, 1)])
    shop.add_line(number, "NOT-LISTED", 1, price=30, title="Пакування")
    world.imported()
    calls = len(asked_for(world))
    for _ in range(2):
        shop.edit(number, manager_comment="x" * (len(asked_for(world)) + 1))
        world.synced()
    assert len(asked_for(world)) == calls


@pytest.mark.parametrize("by", ["code", "name"])
def test_a_name_and_a_price_of_the_shops_catalogue_change_nothing_in_roapp(world: World, by: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    config = world.shop(identify_products_by=by)
    first = shop.place_order(articles=[(CODE, 1)])
    world.imported(config)
    (made,) = world.made_products()
    before = (made["title"], price_of(made))
    shop.edit_good(CODE, titles=titles("Кепка літня"), price=Decimal("399.50"))
    world.a_day_later()
    roapp.clear_calls()
    second = shop.place_order(articles=[(CODE, 1)])
    world.synced(config)
    assert [row["id"] for row in world.made_products()] == [made["id"]]
    assert (made["title"], price_of(made)) == before
    assert [call for call in roapp.calls if call.method != "GET" and "product" in call.path] == []
    assert world.differences(config, [first, second]) == []


@pytest.mark.parametrize("by", ["name", "barcode"])
def test_a_product_that_the_shop_calls_differently_stays_the_product(world: World, by: str) -> None:
    shop = world.box.shops[0]
    config = world.shop(identify_products_by=by)
    first = shop.place_order(articles=[("KR-799", 1)])
    world.imported(config)
    (made,) = world.made_products()
    shop.edit_good("KR-799", titles=titles("Кросівки нові"), gtin="4820000000031")
    world.a_day_later()
    second = shop.place_order(articles=[("KR-799", 1)])
    world.synced(config)
    assert [row["id"] for row in world.made_products()] == [made["id"]]
    items = [world.roapp_items(number, config)[0]["entity_id"] for number in (first, second)]
    assert items == [made["id"]] * 2


def test_a_price_in_another_currency_is_not_given(world: World) -> None:
    shop, config = world.box.shops[0], world.shop()
    shop.edit_good(CODE, price=Decimal(25), currency="USD")
    number = shop.place_order(articles=[("KR-799", 1)])
    shop.add_line(number, CODE, 1, price=1040)
    world.imported(config)
    (made,) = [row for row in world.made_products() if row["code"] == CODE]
    assert (price_of(made), world.held(config)) == (Decimal(1040), {})


@pytest.mark.parametrize("missing", ["create", "hold"])
def test_a_number_of_another_currency_is_no_price(world: World, missing: str) -> None:
    shop = world.box.shops[0]
    config = world.shop(missing_products=missing)
    abroad = shop.place_order(articles=[("KR-799", 1)])
    shop.add_line(abroad, CODE, 1, price=25)
    shop.edit(abroad, currency="EUR")
    world.imported(config)
    assert world.held(config) == {("order", abroad): "currency-differs"}
    shop.add_line(at_home := shop.place_order(articles=[("KR-799", 1)]), CODE, 1, price=1040)
    world.synced(config)
    if missing == "create":
        (made,) = [row for row in world.made_products() if row["code"] == CODE]
        assert price_of(made) == Decimal(1040)
    else:
        assert world.held(config)["order", at_home] == "product-missing"
        assert {row.article: row.price for row in missing_products.listed(world.engine, config.key)}[CODE] == 1040


def test_a_currency_by_a_name_of_the_shops_own_makes_no_price_doubtful(world: World) -> None:
    shop, config = world.box.shops[0], world.shop(missing_products="hold")
    for price, currency in ((1040, "UAH"), (1050, "ГРН")):
        shop.add_line(number := shop.place_order(articles=[("KR-799", 1)]), CODE, 1, price=price)
        shop.edit(number, currency=currency)
    world.imported(config)
    (product,) = [row for row in missing_products.listed(world.engine, config.key) if row.article == CODE]
    assert product.price == shop.good(CODE).price


def test_a_product_that_got_another_article_in_roapp_is_missing_again(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    config = world.shop(missing_products="hold")
    product = roapp.add_product("Кепка", code=CODE)
    roapp.seeded["products"].add(product)
    shop.place_order(articles=[(CODE, 1)])
    world.imported(config)
    roapp.products[product]["code"] = "KR-799"
    other = shop.place_order(articles=[("KR-799", 1)])
    world.synced(config)
    assert world.held(config) == {}
    number = shop.place_order(articles=[(CODE, 1)])
    world.synced(config)
    assert world.roapp_items(other, config)[0]["entity_id"] == product
    assert world.held(config) == {("order", number): "product-missing"}
    assert [row.article for row in missing_products.listed(world.engine, config.key)] == [CODE]
