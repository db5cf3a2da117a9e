"""Names, barcodes and prices that change in the shop's catalogue: read by age, carried on where the shop wants that."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from world import World

from cartum_roapp.ledger import missing_products

pytestmark = pytest.mark.drawn(2)

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
def test_a_rename_and_a_new_price_are_carried_on(world: World, by: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    config = world.shop(update_products=True, identify_products_by=by)
    number = shop.place_order(articles=[(CODE, 1)])
    world.imported(config)
    (made,) = world.made_products()
    roapp.edit_product(made["id"], prices=[*made["prices"], {"id": 18002, "price": "111.00"}])
    shop.edit_good(CODE, titles=titles("Кепка літня"), price=Decimal("399.50"))
    world.a_day_later()
    world.synced(config)
    assert (made["title"], price_of(made)) == ("Кепка літня", Decimal("399.50"))
    assert made["prices"][1]["price"] in ("111.00", 111.0)  # the account's other prices stay
    roapp.clear_calls()
    world.synced(config)
    assert [call for call in roapp.calls if call.method != "GET"] == []
    second = shop.place_order(articles=[(CODE, 1)])
    world.synced(config)
    assert [row["id"] for row in world.made_products()] == [made["id"]]
    assert world.differences(config, [number, second]) == []


def test_what_staff_changed_stays_until_the_shop_changes_it(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    config = world.shop(update_products=True)
    shop.place_order(articles=[(CODE, 1)])
    world.imported(config)
    (made,) = world.made_products()
    roapp.edit_product(made["id"], title="Кепка (склад 2)")
    shop.edit_good(CODE, price=Decimal(410))
    world.a_day_later()
    world.synced(config)
    assert (made["title"], price_of(made)) == ("Кепка (склад 2)", Decimal(410))


def test_without_the_setting_products_stay_and_old_changes_are_not_carried_on_later(world: World) -> None:
    shop = world.box.shops[0]
    shop.place_order(articles=[(CODE, 1)])
    world.imported()
    (made,) = world.made_products()
    shop.edit_good(CODE, titles=titles("Кепка літня"))
    world.a_day_later()
    shop.place_order(articles=[("KR-799", 1)])
    world.synced()
    config = world.shop(update_products=True)
    world.synced(config)
    assert made["title"] == "Кепка"


def test_an_account_that_changes_no_products_says_so_once(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0, settings={"look_again": 0}) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        config = world.shop(update_products=True)
        roapp.faults.product_change = False
        articles = [CODE, "KR-799", "UMB-1"]
        numbers = [shop.place_order(articles=[(article, 1)]) for article in articles]
        world.imported(config)
        for article in articles:
            shop.edit_good(article, price=Decimal(500))
        world.a_day_later()
        world.synced(config)
        (((entity, _), code),) = world.held(config).items()
        assert (entity, code) == ("product", "not-available")
        roapp.faults.product_change = True
        world.synced(config)
        assert world.held(config) == {}
        assert {price_of(row) for row in world.made_products() if row["code"] in articles} == {Decimal(500)}
        assert world.differences(config, numbers) == []


@pytest.mark.parametrize("kind", ["drop_after", "error_after"])
def test_a_change_that_nobody_confirmed_and_that_the_shop_takes_back_is_taken_back(database: str, kind: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0, settings={"unclear_wait": 0.0}) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        config = world.shop(update_products=True)
        number = shop.place_order(articles=[(CODE, 1)])
        world.imported(config)
        (made,) = world.made_products()
        before, named = price_of(made), made["title"]
        shop.edit_good(CODE, titles=titles("Кепка з вишивкою"), price=Decimal(500))
        world.a_day_later()
        roapp.faults.fail(kind, 100, method="PATCH", path="^/catalog/products/")
        world.synced(config)
        (given,) = world.made_products()
        assert (price_of(given), given["title"]) == (500, "Кепка з вишивкою")  # RO App has it, and did not say so
        roapp.faults.calm()
        shop.edit_good(CODE, titles=titles(named), price=before)
        world.a_day_later()
        world.synced(config)
        (taken_back,) = world.made_products()
        assert (price_of(taken_back), taken_back["title"]) == (before, named)
        calls = len(roapp.calls)
        world.synced(config)
        assert [call for call in roapp.calls[calls:] if "product" in call.path] == []
        assert world.differences(config, [number]) == []


def test_a_change_that_nobody_confirmed_is_the_own_shops(database: str) -> None:
    settings = {"unclear_wait": 0.0}
    with World.of(database, orders=0, delivered=0, older=0, shops=2, settings=settings) as world:
        one, other = (world.shop(index, update_products=True) for index in (0, 1))
        for index, config in enumerate((one, other)):
            world.box.shops[index].place_order(articles=[(CODE, 1)])
            world.imported(config, other if config is one else one)
        (made,) = world.made_products()
        world.box.shops[1].goods = list(world.box.shops[1].goods)  # they share none
        world.box.shops[0].edit_good(CODE, price=Decimal(500))
        world.a_day_later()
        world.box.roapp.faults.fail("drop_after", 100, method="PATCH", path="^/catalog/products/")
        world.synced(one, other)
        assert price_of(made) == 500
        world.box.roapp.faults.calm()
        for config, neighbour in ((other, one), (one, other), (other, one)):
            world.synced(config, neighbour)
            assert price_of(made) == 500, "the other shop has changed nothing"


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


@pytest.mark.parametrize("update", [False, True])
def test_a_price_in_another_currency_is_neither_given_nor_carried_on(world: World, update: bool) -> None:
    shop = world.box.shops[0]
    config = world.shop(update_products=update)
    shop.edit_good(CODE, price=Decimal(25), currency="USD")
    number = shop.place_order(articles=[("KR-799", 1)])
    shop.add_line(number, CODE, 1, price=1040)
    world.imported(config)
    (made,) = [row for row in world.made_products() if row["code"] == CODE]
    assert price_of(made) == Decimal(1040)
    shop.edit_good(CODE, price=Decimal(26))
    world.a_day_later()
    second = shop.place_order(articles=[("KR-799", 1)])
    shop.add_line(second, CODE, 1, price=1080)
    world.synced(config)
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
        assert {row.article: row.price for row in missing_products.listed(world.engine, [config.key])}[CODE] == 1040
