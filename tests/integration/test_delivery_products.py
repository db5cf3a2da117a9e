"""The shop's product is one product of RO App: found by the chosen identification, else made, else waited for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from world import Row, World

CODE = "CAP-2"  # not in RO App's catalogue
#: So many products that the pause after a reading outlasts a test on a busy machine.
LARGE = 1500


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        yield world


def entity(world: World, number: str) -> int:
    (item,) = world.roapp_items(number)
    return int(item["entity_id"])


@pytest.mark.parametrize("by", ["code", "sku", "barcode", "name"])
def test_a_product_is_found_by_what_the_merchant_chose(world: World, by: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    good = shop.good(CODE)
    fields = {"code": {"code": CODE}, "sku": {"sku": CODE}, "barcode": {"barcodes": [good.gtin]}, "name": {}}[by]
    title = "  КЕПКА " if by == "name" else "Зовсім інша назва"
    known = roapp.add_product(title, **fields)  # type: ignore[arg-type]
    roapp.seeded["products"].add(known)
    config = world.shop(identify_products_by=by)
    number = shop.place_order(articles=[(CODE, 2)])
    world.imported(config)
    assert world.held(config) == {}
    assert entity(world, number) == known
    assert world.made_products() == []


@pytest.mark.parametrize(("by", "taken"), [(["sku", "name"], "second"), (["name", "sku"], "first")])
def test_the_first_identity_that_exactly_one_product_has_decides(world: World, by: list[str], taken: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    ids = {"first": roapp.add_product("Кепка"), "second": roapp.add_product("Шапка", sku=CODE)}
    roapp.seeded["products"] |= set(ids.values())
    number = shop.place_order(articles=[(CODE, 1)])
    config = world.shop(identify_products_by=by)
    world.imported(config)
    assert world.held(config) == {}
    assert entity(world, number) == ids[taken]
    assert world.made_products() == []


@pytest.mark.parametrize("article", ["CAP 2&quot;", "CAP&notes"])
def test_an_article_with_an_entity_is_found_in_the_shops_catalogue(world: World, article: str) -> None:
    """The shop escapes it in its catalogue as it does in orders; what looks like an entity is none."""
    shop = world.box.shops[0]
    at = next(index for index, good in enumerate(shop.goods) if good.article == "CAP-2")
    shop.goods[at] = replace(shop.goods[at], article=article)
    there = world.box.roapp.add_product(title="Кепка зі складу", barcodes=[{"code": shop.goods[at].gtin}])
    number = shop.place_order(articles=[(article, 1)])
    config = world.shop(identify_products_by=("barcode",))
    world.imported(config)
    assert [item["entity_id"] for item in world.roapp_items(number, config)] == [there]


@pytest.mark.parametrize(
    ("by", "fields"),
    [("code", {"code": "CAP  2"}), ("sku", {"sku": " CAP\u00a02"}), ("code", {"code": "CAP 2"}), ("barcode", {})],
)
def test_blanks_in_a_row_are_one_blank_on_both_sides(world: World, by: str, fields: Row) -> None:
    """In RO App, in the shop's orders and in its catalogue."""
    shop, roapp = world.box.shops[0], world.box.roapp
    at = next(index for index, good in enumerate(shop.goods) if good.article == CODE)
    shop.goods[at] = replace(shop.goods[at], article="CAP  2")
    known = roapp.add_product("Зовсім інша назва", barcodes=[{"code": shop.goods[at].gtin}], **fields)
    roapp.seeded["products"].add(known)
    number = shop.place_order(articles=[("CAP  2", 1)])
    config = world.shop(identify_products_by=by)
    world.imported(config)
    assert (world.held(config), world.made_products()) == ({}, [])
    assert entity(world, number) == known


@pytest.mark.parametrize("by", ["code", "sku"])
@pytest.mark.parametrize(
    ("spelt", "in_roapp", "taken"),
    [
        (["CAP-2", "cap-2"], [], "made"),
        (["шапка-Ї", "ШАПКА-ї"], [], "made"),
        (["CAP-2", "cap-2"], ["Cap-2"], "Cap-2"),
        (["ШАПКА-Ї"], ["шапка-ї"], "шапка-ї"),
        (["CAP-2"], ["cap-2", "CAP-2"], "CAP-2"),
        (["cap-2"], ["cap-2", "CAP-2"], "cap-2"),
        (["cap-2"], ["Cap-2", "CAP-2"], "held"),
    ],
)
def test_the_letter_case_of_an_article_makes_no_second_product(
    world: World, by: str, spelt: list[str], in_roapp: list[str], taken: str
) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    there = {one: roapp.add_product(f"Кепка {one}", **{by: one}) for one in in_roapp}  # type: ignore[arg-type]
    roapp.seeded["products"] |= set(there.values())
    numbers = []
    for article in spelt:
        number = shop.place_order(articles=[(CODE, 1)])
        shop.edit(number, products=[{**shop.orders[number]["products"][0], "article": article}])
        numbers.append(number)
    config = world.shop(identify_products_by=by)
    world.imported(config)
    if taken == "held":
        assert world.held(config) == {("order", number): "product-ambiguous" for number in numbers}
        assert world.made_products() == []
        return
    assert world.held(config) == {}
    made = world.made_products()
    assert [one[by] for one in made] == ([spelt[-1]] if taken == "made" else [])
    assert {entity(world, number) for number in numbers} == {made[0]["id"] if made else there[taken]}
    assert world.synced(config).calls.roapp_writes == 0


def test_an_identity_that_several_have_is_passed_over(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    twins = {roapp.add_product("Капелюх", sku=CODE), roapp.add_product("Панама", sku=CODE)}
    named = roapp.add_product("Кепка")
    roapp.seeded["products"] |= {*twins, named}
    number = shop.place_order(articles=[(CODE, 1)])
    config = world.shop(identify_products_by=["sku", "barcode", "name"])
    world.imported(config)
    assert entity(world, number) == named
    roapp.edit_product(named, title="Інша річ")
    roapp.add_product("Кросівки")
    other = shop.place_order(articles=[("KR-799", 1)])
    twin = roapp.add_product("Ще одні", sku="KR-799")
    roapp.copy_product(twin)
    world.synced(config)
    assert world.held(config) == {("order", other): "product-ambiguous"}


def test_a_product_is_made_once_with_everything_that_identifies_it(world: World) -> None:
    shop = world.box.shops[0]
    numbers = [shop.place_order(articles=[(CODE, 1)]) for _ in range(5)]
    world.imported()
    (made,) = world.made_products()
    assert (made["title"], made["code"], made["sku"]) == ("Кепка", CODE, CODE)
    assert [one["code"] for one in made["barcodes"]] == [shop.good(CODE).gtin]
    assert {entity(world, number) for number in numbers} == {made["id"]}
    assert [Decimal(price["price"]) for price in made["prices"]] == [shop.good(CODE).price]


def test_a_new_product_goes_into_the_category_of_the_settings(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    roapp.categories[77] = {"id": 77, "title": "З магазину", "parent_id": None}
    shop.place_order(articles=[("KR-799", 1)])
    world.imported(world.shop(product_category_id=77))
    (made,) = world.made_products()
    assert made["category_id"] == 77
    assert made["description"] == shop.good("KR-799").title("ua")


@pytest.mark.parametrize("prices", ["object", "refused"])
def test_prices_of_products_in_each_form_that_accounts_have(world: World, prices: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    roapp.faults.product_prices = prices
    number = shop.place_order(articles=[(CODE, 1)])
    world.imported()
    assert world.held() == {}
    (made,) = world.made_products()
    assert entity(world, number) == made["id"]
    expected = [] if prices == "refused" else [{"id": 18001, "price": float(shop.good(CODE).price)}]
    assert made["prices"] == expected


@pytest.mark.parametrize("shape", ["errors", "validation", "message", "html"])
def test_a_refused_barcode_or_sku_costs_itself_where_the_code_identifies(world: World, shape: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    roapp.faults.switch(product_refused=("sku", "barcodes"), error_shape=shape)
    numbers = [shop.place_order(articles=[(CODE, quantity)]) for quantity in (1, 2)]
    world.imported()
    assert world.held() == {}
    (made,) = world.made_products()
    assert (made["code"], made.get("sku") or "", made["barcodes"]) == (CODE, "", [])
    assert {entity(world, number) for number in numbers} == {made["id"]}


def test_a_refused_code_holds_the_order_where_the_code_identifies(world: World) -> None:
    world.box.roapp.faults.product_refused = ("code",)
    number = world.box.shops[0].place_order(articles=[(CODE, 1)])
    world.imported()
    assert (world.held(), world.made_products()) == ({("order", number): "refused"}, [])


def test_a_category_that_is_gone_costs_the_category(world: World) -> None:
    shop = world.box.shops[0]
    number = shop.place_order(articles=[(CODE, 1)])
    config = world.shop(product_category_id=99)
    world.imported(config)
    assert world.held(config) == {}
    (made,) = world.made_products()
    assert (entity(world, number), made["code"]) == (made["id"], CODE)


def test_a_product_that_staff_gave_the_article_to_is_taken_after_a_day(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    first = shop.place_order(articles=[(CODE, 1)])
    world.imported()
    (made,) = world.made_products()
    roapp.edit_product(made["id"], code="CAP-OLD")
    other = roapp.add_product("Кепка 2027", code=CODE)
    world.a_day_later()
    shop.place_order(articles=[("KR-799", 1)])
    world.synced()  # reads the catalogue again at its end
    second = shop.place_order(articles=[(CODE, 1)])
    world.synced()
    assert (entity(world, first), entity(world, second)) == (made["id"], other)
    assert world.held() == {}


def test_a_product_that_staff_renamed_stays_the_product(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    config = world.shop(identify_products_by="name")
    first = shop.place_order(articles=[(CODE, 1)])
    world.imported(config)
    (made,) = world.made_products()
    roapp.edit_product(made["id"], title="Кепка з козирком")
    world.a_day_later()
    shop.place_order(articles=[("KR-799", 1)])
    world.synced(config)
    second = shop.place_order(articles=[(CODE, 1)])
    world.synced(config)
    assert entity(world, first) == entity(world, second) == made["id"]


def test_ambiguous_products_hold_the_order_until_one_of_them_is_another(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    first = roapp.add_product("Кепка", code=CODE)
    second = roapp.copy_product(first)
    roapp.seeded["products"] |= {first, second}
    held, free = shop.place_order(articles=[(CODE, 1)]), shop.place_order(articles=[("KR-799", 1)])
    world.imported()
    assert world.held() == {("order", held): "product-ambiguous"}
    assert list(world.roapp_orders(world.shop())) == [free]
    roapp.edit_product(second, code="CAP-2-OLD")
    world.imported()
    assert world.held() == {}
    assert entity(world, held) == first


@pytest.mark.parametrize("mended_by", ["hand", "the shop"])
def test_a_missing_product_holds_the_whole_order_until_it_is_there(world: World, mended_by: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    config = world.shop(missing_products="hold")
    number = shop.place_order(articles=[("KR-799", 1), (CODE, 1)])
    roapp.add_product("Кросівки", code="KR-799")
    roapp.seeded["products"] = set(roapp.products)
    world.imported(config)
    assert world.held(config) == {("order", number): "product-missing"}
    assert world.roapp_orders(config) == {}
    if mended_by == "hand":
        roapp.seeded["products"].add(roapp.add_product("Кепка", code=CODE))
        world.imported(config)
    else:
        shop.remove_line(number)
        world.synced(config)
    assert world.held(config) == {}
    assert world.differences(config, [number]) == []
    assert world.made_products() == []


@pytest.mark.parametrize(("shape", "code"), [("errors", 422), ("text", 422), ("html", 422), ("text", 404)])
def test_a_product_that_staff_deleted_is_looked_for_again_and_made_again(world: World, shape: str, code: int) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    roapp.faults.switch(error_shape=shape, error_code=code)
    first = world.placed((CODE, 1), ("KR-799", 1))
    world.imported()
    kept = next(item["entity_id"] for item in world.roapp_items(first) if item["price"] != shop.good(CODE).price)
    lost = next(item["entity_id"] for item in world.roapp_items(first) if item["price"] == shop.good(CODE).price)
    roapp.delete_product(lost)
    second = shop.place_order(articles=[(CODE, 2), ("KR-799", 2)])
    world.synced()
    assert world.held() == {}
    assert world.differences(world.shop(), [second]) == [f"{first} should not be in RO App"]
    assert kept in {item["entity_id"] for item in world.roapp_items(second)}
    assert len([product for product in roapp.products.values() if product["code"] == CODE]) == 1


def test_a_product_that_staff_replaced_by_another_of_the_same_code_is_taken(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    shop.place_order(articles=[(CODE, 1)])
    world.imported()
    (made,) = world.made_products()
    roapp.delete_product(made["id"])
    replaced = roapp.add_product("Кепка нова", code=CODE)
    number = shop.place_order(articles=[(CODE, 1)])
    world.synced()
    assert world.held() == {}
    assert entity(world, number) == replaced
    assert [product["id"] for product in world.made_products()] == [replaced]


def test_a_line_without_an_article_goes_by_its_name(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    first = shop.place_order(articles=[("KR-799", 1)])
    shop.add_line(first, "", 1, price=30, title="Пакування &quot;Свято&quot;")
    second = shop.place_order(articles=[("KR-799", 1)])
    shop.add_line(second, "", 2, price=30, title="пакування  &quot;свято&quot;")
    world.imported()
    assert world.held() == {}
    named = [product for product in roapp.products.values() if "свято" in product["title"].casefold()]
    assert len(named) == 1
    for number in (first, second):
        assert named[0]["id"] in {item["entity_id"] for item in world.roapp_items(number)}


def test_a_missing_product_does_not_read_a_large_catalogue_at_each_try(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0, settings={"roapp_interval": 0.05}) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        for index in range(LARGE):
            roapp.add_product(f"Товар складу {index}")
        roapp.seeded["products"] = set(roapp.products)
        config = world.shop(missing_products="hold")
        number = shop.place_order(articles=[(CODE, 1)])
        world.imported(config)
        pages = len(catalogue_reads(world))
        assert pages > 6
        for _ in range(3):
            world.imported(config)
        assert world.held(config) == {("order", number): "product-missing"}
        assert world.value("SELECT attempts FROM held") == 4
        assert len(catalogue_reads(world)) == pages
        roapp.seeded["products"].add(roapp.add_product("Кепка", code=CODE))
        (outcome,) = world.replayed(number, shop=config)  # a person knows that it is there now
        assert outcome["outcome"] == "delivered"
        assert world.differences(config, [number]) == []


def catalogue_reads(world: World) -> list[object]:
    return [call for call in world.box.roapp.calls if (call.method, call.path) == ("GET", "/catalog/products")]


def test_one_unknown_line_says_what_is_missing(world: World) -> None:
    from cartum_roapp.ledger import held

    shop = world.box.shops[0]
    config = world.shop(missing_products="hold")
    shop.place_order(articles=[(CODE, 1)])
    world.imported(config)
    (one,) = held.listed(world.engine, config.key)
    assert CODE in one.message
    assert "automatically" in one.fix


def test_an_account_that_takes_no_products_is_tried_again_a_day_later(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    roapp.faults.product_create = False
    number = shop.place_order(articles=[(CODE, 1)])
    world.imported()
    assert world.held() == {("order", number): "product-missing"}
    roapp.faults.product_create = True
    roapp.clear_calls()
    world.imported()
    assert world.held() == {("order", number): "product-missing"}
    assert [call for call in roapp.calls if call.method == "POST"] == []
    world.a_day_later()
    world.imported()
    assert world.held() == {}
    assert world.differences(world.shop(), [number]) == []


def test_one_refusal_does_not_stop_an_account_that_has_made_products(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    first = shop.place_order(articles=[("KR-799", 1)])
    world.imported()
    assert len(world.made_products()) == 1
    roapp.faults.fail("error", status=404, method="POST", path="^/catalog/products$")
    number = shop.place_order(articles=[(CODE, 1)])
    world.synced()
    assert world.held() == {("order", number): "product-missing"}
    world.imported()
    assert world.held() == {}
    assert world.differences(world.shop(), [first, number]) == []


def test_an_account_that_takes_no_products_any_more_is_asked_twice_a_run(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    shop.place_order(articles=[("KR-799", 1)])
    world.imported()
    assert len(world.made_products()) == 1
    roapp.faults.product_create = False
    for article in (CODE, "UMB-1", "LMP-07"):
        shop.place_order(articles=[(article, 1)])
    roapp.clear_calls()
    world.synced()
    assert len([call for call in roapp.calls if call.path == "/catalog/products" and call.method == "POST"]) == 2
    assert set(world.held().values()) == {"product-missing"}


def test_a_person_need_not_wait_for_that_day(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    roapp.faults.product_create = False
    number = shop.place_order(articles=[(CODE, 1)])
    world.imported()
    roapp.faults.product_create = True
    (outcome,) = world.replayed(number)
    assert (outcome["outcome"], world.held()) == ("delivered", {})
    assert world.differences(world.shop(), [number]) == []


def test_a_long_name_is_cut_and_found_again(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    long = "Кросівки бігові з амортизацією та світловідбивними вставками, " * 4
    numbers = []
    for variant in ("розмір 41", "розмір 42"):
        number = shop.place_order(articles=[("KR-799", 1)])
        shop.add_line(number, "", 1, price=30, title=long + variant)
        numbers.append(number)

    def named() -> dict[str, int]:
        return {row["title"][-2:]: row["id"] for row in world.made_products() if row["title"].startswith(long[:70])}

    world.imported()
    assert world.held() == {}
    made = named()
    assert sorted(made) == ["41", "42"]
    assert all(len(row["title"]) <= 120 for row in world.made_products())
    before = len(roapp.products)
    world.purged()
    world.imported()
    assert world.held() == {}
    assert (named(), len(roapp.products)) == (made, before)
    for number, size in zip(numbers, ("41", "42"), strict=True):
        assert made[size] in {item["entity_id"] for item in world.roapp_items(number)}


def test_a_catalogue_that_shows_a_new_product_late_stops_no_others(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    roapp.faults.product_get = False
    withheld = {}

    def lag(method: str, path: str, phase: str) -> None:
        """The first reading after the product was made does not have it yet."""
        if method != "GET" or not path.endswith("/catalog/products"):
            return
        if phase == "before" and not withheld and (made := world.made_products()):
            withheld[made[0]["id"]] = roapp.products.pop(made[0]["id"])
        elif phase != "before":
            roapp.products.update(withheld)

    numbers = [shop.place_order(articles=[(code, 1)]) for code in (CODE, "KR-799")]
    stop = roapp.on_call(lag)
    world.imported()
    stop()
    assert withheld
    roapp.products.update(withheld)
    assert world.held() == {}
    assert world.differences(world.shop(), numbers) == []


SIZES = (CODE, "UMB-1", "LMP-07")


def sizes(world: World, **shared: object) -> None:
    """Three articles of the shop share a name or a barcode, as the sizes of one model do."""
    for article in SIZES:
        world.box.shops[0].edit_good(article, **shared)


NAMED = {"titles": dict.fromkeys(("ua", "ru", "en", "ro"), "Футболка")}
CODED = {"gtin": "4820000000017"}


@pytest.mark.parametrize(("by", "shared"), [("name", NAMED), ("barcode", CODED)])
@pytest.mark.parametrize("missing", ["create", "hold"])
def test_a_size_that_ro_app_lacks_is_no_other_size(
    world: World, by: str, shared: dict[str, object], missing: str
) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    sizes(world, **shared)
    roapp.seeded["products"].add(roapp.add_product("Футболка", code=SIZES[0], barcodes=["4820000000017"]))
    numbers = [shop.place_order(articles=[(article, 1)]) for article in SIZES]
    config = world.shop(identify_products_by=["code", by], missing_products=missing)
    world.imported(config)
    sold = {roapp.products[entity(world, number)]["code"] for number in world.roapp_orders(config)}
    if missing == "create":
        assert (sold, world.held(config)) == (set(SIZES), {})
    else:
        assert (sold, world.held(config)) == (
            {SIZES[0]},
            dict.fromkeys((("order", number) for number in numbers[1:]), "product-missing"),
        )


@pytest.mark.parametrize("fault", ["drop", "drop_after"])
def test_an_unclear_create_of_a_size_is_not_taken_for_another_size(world: World, fault: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    sizes(world, **NAMED)
    roapp.seeded["products"].add(roapp.add_product("Футболка", code=SIZES[0]))
    shop.place_order(articles=[(SIZES[0], 1)])
    config = world.shop(identify_products_by=["code", "name"])
    world.imported(config)
    roapp.faults.fail(fault, method="POST", path="^/catalog/products$")
    number = shop.place_order(articles=[(SIZES[1], 1)])
    world.synced(config)
    assert [row["code"] for row in world.made_products()] == [SIZES[1]]
    assert roapp.products[entity(world, number)]["code"] == SIZES[1]


def test_a_product_that_may_be_several_sizes_holds_their_order_until_it_has_a_code(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    sizes(world, **NAMED)
    known = roapp.add_product("Футболка", code="1007")
    roapp.seeded["products"].add(known)
    number = shop.place_order(articles=[(SIZES[0], 1), (SIZES[1], 1)])
    config = world.shop(identify_products_by=["code", "name"])
    world.imported(config)
    assert (world.held(config), world.made_products()) == ({("order", number): "product-ambiguous"}, [])
    roapp.edit_product(known, code=SIZES[1])
    world.imported(config)
    assert world.held(config) == {}
    codes = {roapp.products[item["entity_id"]]["code"] for item in world.roapp_items(number)}
    assert codes == {SIZES[0], SIZES[1]}


def test_a_product_that_staff_gave_to_another_size_is_that_size(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    sizes(world, **NAMED)
    known = roapp.add_product("Футболка", code="1007")
    roapp.seeded["products"].add(known)
    first = shop.place_order(articles=[(SIZES[1], 1)])
    config = world.shop(identify_products_by=["code", "name"])
    world.imported(config)
    assert entity(world, first) == known
    roapp.edit_product(known, code=SIZES[0])
    numbers = []
    for article in SIZES[:2]:
        numbers.append(shop.place_order(articles=[(article, 1)]))
        world.synced(config)
    assert [roapp.products[entity(world, number)]["code"] for number in numbers] == [*SIZES[:2]]
    assert [row["code"] for row in world.made_products()] == [SIZES[1]]


def test_a_shared_name_does_not_read_a_large_catalogue_at_each_try(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0, settings={"roapp_interval": 0.05}) as world:
        sizes(world, **NAMED)
        for index in range(LARGE):
            world.box.roapp.add_product(f"Товар складу {index}")
        world.box.roapp.add_product("Футболка", code="1007")
        world.box.roapp.seeded["products"] = set(world.box.roapp.products)
        config = world.shop(identify_products_by=["code", "name"])
        number = world.box.shops[0].place_order(articles=[(SIZES[0], 1), (SIZES[1], 1)])
        world.imported(config)
        pages = len(catalogue_reads(world))
        for _ in range(2):
            world.imported(config)
        assert world.held(config) == {("order", number): "product-ambiguous"}
        assert world.value("SELECT attempts FROM held") == 3
        assert len(catalogue_reads(world)) == pages


def test_a_recoded_article_stays_the_product_as_the_old_one_is_gone(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    config = world.shop(identify_products_by=["code", "name"])
    roapp.seeded["products"].add(known := roapp.add_product("Кепка", code=CODE))
    first = shop.place_order(articles=[(CODE, 1)])
    world.imported(config)
    world.a_day_later()
    del shop.orders[first]  # no order that is read names the old article
    shop.edit_good(CODE, article="CAP-2027")
    second = shop.place_order(articles=[("CAP-2027", 1)])
    world.synced(config)
    assert (entity(world, first), entity(world, second)) == (known, known)
    assert (world.made_products(), world.held(config)) == ([], {})


@pytest.mark.parametrize("gtin", ["немає", "1234567", "123456789012345"])
def test_what_is_no_barcode_makes_no_two_products_one(world: World, gtin: str) -> None:
    sizes(world, gtin=gtin)
    number = world.box.shops[0].place_order(articles=[(article, 1) for article in SIZES])
    world.imported(world.shop(identify_products_by=["barcode", "code"]))
    assert {item["entity_id"] for item in world.roapp_items(number)} == {row["id"] for row in world.made_products()}
    assert [row["barcodes"] for row in world.made_products()] == [[], [], []]
