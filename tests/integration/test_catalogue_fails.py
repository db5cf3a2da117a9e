"""The shop's catalogue can't be read: orders go on with their lines' own titles, what only its barcode identifies is
held and goes through by itself when it works again, and no product is made twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from world import World

from cartum_roapp.cli.outcomes import run_parts
from cartum_roapp.errors import NotNow
from cartum_roapp.ledger import journal
from cartum_roapp.ledger.journal import Kind
from sandbox.cartum_shop import CartumShop
from tasks import summary

KNOWN, NEW = "KR-799", "CAP-2"


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        yield world


@pytest.fixture
def box(world: World) -> CartumShop:
    return world.box.shops[0]


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The warnings of each run's summary."""
    found: list[list[str]] = []
    whole = summary.summary_text

    def keep(result: dict[str, Any], links: Any) -> str:
        found.append(result["warnings"])
        shown = whole(result, links)
        assert all(warning[:40] in shown for warning in result["warnings"])
        assert [one for one in run_parts(result) if one in result["warnings"]] == result["warnings"]
        return shown

    monkeypatch.setattr(summary, "summary_text", keep)
    return found


def denied(box: CartumShop) -> None:
    box.faults.switch(refused_functions=("catalog/export",))


def works(box: CartumShop) -> None:
    """Again."""
    box.faults.switch(refused_functions=())
    box.faults.calm()


def place(box: CartumShop, *articles: str) -> str:
    return box.place_order(articles=[(article, 1) for article in articles])


def well(world: World, box: CartumShop, **config: Any) -> None:
    assert world.held() == {}
    assert world.differences(world.shop(**config), list(box.orders)) == []
    titles = [product["title"] for product in world.made_products()]
    assert len(titles) == len(set(titles))


FAILURES: dict[str, dict[str, Any]] = {
    "refused": {"refused_functions": ("catalog/export",)},
    "always ERROR": {"refused_functions": ("catalog/export",), "refusal": "Внутрішня помилка"},
    "500 for ever": {"kind": "error"},
    "an HTML page": {"kind": "html"},
}


@pytest.mark.parametrize("failure", FAILURES)
def test_orders_go_on_without_it(world: World, box: CartumShop, failure: str, warned: list[list[str]]) -> None:
    """No schedule would repeat a first import that it ends."""
    switches = dict(FAILURES[failure])
    if kind := switches.pop("kind", None):
        box.faults.fail(kind, 1000, path="^catalog/export$")
    box.faults.switch(**switches)
    place(box, KNOWN, NEW)
    world.imported()
    well(world, box)
    place(box, NEW)
    world.synced()
    well(world, box)
    assert [len(one) for one in warned] == [1, 1]
    assert "catalogue" in warned[-1][0]
    works(box)
    place(box, NEW, KNOWN)
    world.synced()
    well(world, box)
    assert warned[-1] == []


def test_a_run_tries_it_once(world: World, box: CartumShop) -> None:
    """An import of several weeks, too."""
    denied(box)
    for days in (0, 10, 20):
        box.place_order(articles=[(KNOWN, 1)], created=box.clock.now() - timedelta(days=days))
    world.imported()
    assert sum(call.path == "catalog/export" for call in box.calls) == 1
    well(world, box)


@pytest.mark.parametrize("by", [["barcode"], ["code", "barcode"]])
def test_what_goes_by_barcode_waits_for_the_catalogue(world: World, box: CartumShop, by: list[str]) -> None:
    """The catalogue's barcode is RO App's, the article is not."""
    roapp = world.box.roapp
    shop = world.shop(identify_products_by=by)
    good = next(good for good in box.goods if good.gtin)
    for id_ in [id_ for id_, one in roapp.products.items() if one["code"] == good.article]:
        roapp.delete_product(id_)
    its = roapp.add_product("Власна назва", code="own-1", sku="own-1", barcodes=[good.gtin])
    roapp.seeded["products"].add(its)
    denied(box)
    number = place(box, good.article)
    world.imported(shop)
    assert world.held() == {("order", number): "catalogue-unavailable"}
    assert world.made_products() == []
    world.synced(shop)
    assert world.held() == {("order", number): "catalogue-unavailable"}
    works(box)
    world.synced(shop)
    well(world, box)
    assert world.made_products() == [], "the one with the barcode is it"
    assert [item["entity_id"] for item in world.roapp_items(number)] == [its]


def test_a_product_that_is_found_without_the_catalogue_was_not_there_before(world: World, box: CartumShop) -> None:
    shop, roapp = world.shop(identify_products_by=["code", "barcode"]), world.box.roapp
    for id_ in [id_ for id_, one in roapp.products.items() if one["code"] == NEW]:
        roapp.delete_product(id_)
    its = roapp.add_product("Власна назва", code=NEW)
    roapp.seeded["products"].add(its)
    denied(box)
    first, second = place(box, NEW), place(box, NEW)
    world.imported(shop)
    ways = set()
    for number in (first, second):
        (event,) = [one for one in journal.of_order(world.engine, shop.key, number) if one.kind is Kind.PRODUCTS]
        ways |= {(one["roapp_id"], one["how"]) for one in event.details["products"]}
    assert ways == {(its, "by code"), (its, "as before")}


def test_they_go_through_also_when_no_order_is_read(world: World, box: CartumShop) -> None:
    shop = world.shop(identify_products_by=["barcode"])
    denied(box)
    number = place(box, KNOWN)
    world.imported(shop)
    assert world.held() == {("order", number): "catalogue-unavailable"}
    with world.engine.begin() as connection:  # no sync reads it any more
        connection.execute(text("UPDATE orders SET final_since = now() - interval '30 days', status_id = 4"))
    box.edit(number, stat_status=4)
    works(box)
    world.synced(shop)
    assert world.held() == {}
    assert number in world.roapp_orders(shop)


def rename_lines(box: CartumShop, number: str) -> None:
    """The line has another title than the catalogue, in the language of the order."""
    box.change_line(number, 0, title="Зовсім інша назва")


def test_by_name_a_product_goes_by_the_title_of_its_line(world: World, box: CartumShop) -> None:
    shop = world.shop(identify_products_by=["name"])
    denied(box)
    number = box.place_order(articles=[(NEW, 1)])
    rename_lines(box, number)
    world.imported(shop)
    assert world.held() == {}
    made = len(world.made_products())
    works(box)
    other = place(box, NEW)
    world.synced(shop)
    assert world.held() == {}
    assert other in world.roapp_orders(shop)
    assert len(world.made_products()) == made, "the article's product stays the same under the catalogue's name"


def test_a_quota_that_is_used_up_is_no_failure_of_the_catalogue(world: World, box: CartumShop) -> None:
    world.imported()
    for _ in range(2):
        place(box, NEW)
        box.faults.fail("rate", 50, path="^catalog/export$", seconds=900)
        with pytest.raises(NotNow, match="quota"):
            world.synced()
        box.faults.calm()
    world.synced()
    well(world, box)
