"""The shop's catalogue can't be read for good: orders go on with their lines' own titles where that is safe, what needs
the catalogue is held and goes through by itself when it works again, and no product is made twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from world import World

from cartum_roapp.cli.outcomes import run_parts
from cartum_roapp.errors import NotNow, Retryable
from cartum_roapp.ledger import journal, shop_catalogue
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


def works(world: World, box: CartumShop) -> None:
    """Again, and some time later."""
    box.faults.switch(refused_functions=())
    box.faults.calm()
    with world.engine.begin() as connection:
        earlier = "jsonb_build_object('tried', now() - interval '1 hour')"
        connection.execute(text(f"UPDATE shops SET catalogue_failure = catalogue_failure || {earlier}"))


def place(box: CartumShop, *articles: str) -> str:
    return box.place_order(articles=[(article, 1) for article in articles])


def well(world: World, box: CartumShop, **config: Any) -> None:
    assert world.held() == {}
    assert world.differences(world.shop(**config), list(box.orders)) == []
    titles = [product["title"] for product in world.made_products()]
    assert len(titles) == len(set(titles))


FAILURES: dict[str, dict[str, Any]] = {
    "always ERROR": {"refused_functions": ("catalog/export",), "refusal": "Внутрішня помилка"},
    "500 for ever": {"kind": "error"},
    "an HTML page": {"kind": "html"},
}


@pytest.mark.parametrize("failure", FAILURES)
def test_without_an_answer_in_two_runs_orders_go_on(
    world: World, box: CartumShop, failure: str, warned: list[list[str]]
) -> None:
    world.imported()
    switches = dict(FAILURES[failure])
    if kind := switches.pop("kind", None):
        box.faults.fail(kind, 1000, path="^catalog/export$")
    box.faults.switch(**switches)
    number = place(box, NEW)
    with pytest.raises(Retryable, match="catalog/export"):
        world.synced()
    assert number not in world.roapp_orders(world.shop()), "it may be a short failure, so it is tried again first"
    world.synced()
    well(world, box)
    assert len(warned[-1]) == 1
    assert "catalogue" in warned[-1][0]
    before = sum(call.path == "catalog/export" for call in box.calls)
    place(box, NEW)
    world.synced()
    well(world, box)
    assert sum(call.path == "catalog/export" for call in box.calls) == before, "not at each run"
    box.faults.switch(refused_functions=())
    works(world, box)
    place(box, NEW, KNOWN)
    world.synced()
    well(world, box)
    assert warned[-1] == []
    assert shop_catalogue.failing(world.engine, world.shop().key) is None


def test_a_refusal_stops_nothing_at_once(world: World, box: CartumShop, warned: list[list[str]]) -> None:
    denied(box)
    place(box, KNOWN, NEW)
    world.imported()
    well(world, box)
    assert len(warned[-1]) == 1
    works(world, box)
    place(box, NEW)
    world.synced()
    well(world, box)
    assert warned[-1] == []


def test_it_ends_no_first_import(world: World, box: CartumShop, warned: list[list[str]]) -> None:
    """No schedule would repeat it."""
    box.faults.fail("error", 1000, path="^catalog/export$")
    place(box, KNOWN, NEW)
    world.imported()
    well(world, box)
    assert len(warned[-1]) == 1
    box.faults.calm()
    works(world, box)
    place(box, NEW)
    world.synced()
    well(world, box)
    assert warned[-1] == []


def test_a_failure_of_one_run_is_none_for_good(world: World, box: CartumShop) -> None:
    world.imported()
    box.faults.fail("error", 8, path="^catalog/export$")
    place(box, NEW)
    with pytest.raises(Retryable):
        world.synced()
    box.faults.calm()
    world.synced()
    well(world, box)
    (product,) = world.made_products() or [None]
    assert product is None or product["barcodes"], "it was made of the catalogue"
    assert shop_catalogue.failing(world.engine, world.shop().key) is None


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
    works(world, box)
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
    works(world, box)
    world.synced(shop)
    assert world.held() == {}
    assert number in world.roapp_orders(shop)


def rename_lines(box: CartumShop, number: str) -> None:
    """The line has another title than the catalogue, in the language of the order."""
    box.change_line(number, 0, title="Зовсім інша назва")


def test_by_name_a_shop_whose_catalogue_was_never_read_goes_by_the_lines(world: World, box: CartumShop) -> None:
    shop = world.shop(identify_products_by=["name"])
    denied(box)
    number = box.place_order(articles=[(NEW, 1)])
    rename_lines(box, number)
    world.imported(shop)
    assert world.held() == {}
    made = len(world.made_products())
    works(world, box)
    other = place(box, NEW)
    world.synced(shop)
    assert world.held() == {}
    assert other in world.roapp_orders(shop)
    assert len(world.made_products()) == made, "the article's product stays the same under the catalogue's name"


def test_by_name_a_shop_whose_catalogue_was_read_holds_what_it_has_not_seen(world: World, box: CartumShop) -> None:
    shop = world.shop(identify_products_by=["name"])
    place(box, KNOWN)
    world.imported(shop)
    made = len(world.made_products())
    denied(box)
    held, free = box.place_order(articles=[(NEW, 1)]), place(box, KNOWN)
    rename_lines(box, held)
    world.synced(shop)
    assert world.held() == {("order", held): "catalogue-unavailable"}
    assert free in world.roapp_orders(shop), "its article was read before"
    works(world, box)
    world.synced(shop)
    assert world.held() == {}
    assert held in world.roapp_orders(shop)
    assert len(world.made_products()) <= made + 1
    assert "Зовсім інша назва" not in {product["title"] for product in world.made_products()}


def test_a_quota_that_is_used_up_is_no_failure_of_the_catalogue(world: World, box: CartumShop) -> None:
    world.imported()
    for _ in range(2):
        place(box, NEW)
        box.faults.fail("rate", 50, path="^catalog/export$", seconds=900)
        with pytest.raises(NotNow, match="quota"):
            world.synced()
        box.faults.calm()
    assert shop_catalogue.failing(world.engine, world.shop().key) is None
    world.synced()
    well(world, box)
