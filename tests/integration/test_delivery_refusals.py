"""What RO App refuses is held with its reason, or said to the owner; the rest arrives."""

from __future__ import annotations

from typing import Any

import pytest
from world import World

from cartum_roapp.delivery import drain
from cartum_roapp.errors import BadConfig
from sandbox.roapp_checks import BodyError, Checks

SHAPES = [("errors", 422), ("errors", 400), ("message", 422), ("validation", 400), ("text", 422), ("html", 400)]


@pytest.mark.parametrize(("shape", "code"), SHAPES)
def test_a_refused_status_holds_the_status_not_the_order(database: str, shape: str, code: int) -> None:
    with World.of(database, orders=4, error_shape=shape, error_code=code) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        number, *_ = shop.qualifying()
        shop.set_status(number, 6)
        refused = world.shop().statuses[6]
        roapp.faults.refused_statuses = (refused,)
        world.imported()
        held = world.held()
        assert held[("status", number)] == "refused"
        assert {entity for entity, _ in held} == {"status"}
        assert [one for one in world.differences(world.shop(), shop.qualifying()) if ": status " not in one] == []

        roapp.faults.refused_statuses = ()
        shop.set_status(number, 2)
        world.synced()
        assert ("status", number) not in world.held()
        assert world.roapp_order(number)["status_id"] == world.shop().statuses[2]


@pytest.mark.parametrize("shape", ["errors", "validation", "message"])
def test_a_field_that_ro_app_demands_stops_the_shop_with_the_field_named(database: str, shape: str) -> None:
    with World.of(database, orders=5, required_order_fields=("ad_campaign_id",), error_shape=shape) as world:
        if shape == "message":  # nothing names the field: each order is held with RO App's own words
            world.imported()
            held = world.held()
            assert set(held.values()) == {"refused"}
            assert len(held) == len(world.box.shops[0].qualifying())
            return
        with pytest.raises(BadConfig) as error:
            world.imported()
        assert error.value.field == "ad_campaign_id"
        waiting = world.value("SELECT count(*) FROM outbox WHERE delivered_version = 0 AND NOT held")
        assert waiting == len(world.box.shops[0].qualifying()), "nothing is lost"

        world.box.roapp.faults.required_order_fields = ()
        world.imported()
        assert world.held() == {}
        assert world.differences(world.shop(), world.box.shops[0].qualifying()) == []


@pytest.mark.parametrize("field", ["quantity", "price", "assignee_id"])
def test_a_product_or_person_that_ro_app_refuses_again_and_again_stops_no_shop(
    database: str, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise BodyError({field: ["not in this order"]})

    with World.of(database, orders=0, delivered=0, older=0) as world:
        numbers = [world.box.shops[0].place_order(articles=[("KR-799", 1)]) for _ in range(4)]
        monkeypatch.setattr(Checks, "item", refuse)
        world.imported()
        assert world.held() == {("order", number): "refused" for number in numbers}


def test_a_new_order_that_goes_through_shows_that_the_settings_are_right(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "IN_FLIGHT", 1)
    check = Checks.order

    def some(self: Checks, body: dict[str, Any], *rest: Any) -> dict[str, Any]:
        if any(body.get("malfunction", "").endswith(f" {number}") for number in bad):
            raise BodyError({"due_date": ["not for this one"]})
        return check(self, body, *rest)

    with World.of(database, orders=0, delivered=0, older=0) as world:
        numbers = [world.box.shops[0].place_order(articles=[("KR-799", 1)]) for _ in range(8)]
        bad = numbers[::2]
        monkeypatch.setattr(Checks, "order", some)
        world.imported()
        assert world.held() == {("order", number): "refused" for number in bad}
        assert world.differences(world.shop(), numbers[1::2]) == []


@pytest.mark.parametrize(("method", "path"), [("PATCH", "/orders/{}$"), ("POST", "/orders/{}/items$")])
def test_an_order_that_may_not_be_changed_is_held_alone(database: str, method: str, path: str) -> None:
    """RO App may have closed it: of the key that says nothing."""
    with World.of(database, orders=4, delivered=0, older=0) as world:
        world.imported()
        shop = world.box.shops[0]
        numbers = shop.qualifying()
        for number in numbers:
            shop.add_line(number, "KR-799", 2, price=500)
            shop.set_waybill(number, f"2045000000{number}")
        for number in numbers[1:]:
            place = path.format(world.roapp_order(number)["id"])
            world.box.roapp.faults.fail("error", 1, method=method, path=place, status=403)
        fresh = shop.place_order(articles=[("CAP-2", 1)], delivery_phone="+380671112233")
        world.synced()
        assert world.held() == {("order", number): "refused" for number in numbers[1:]}
        assert fresh in world.roapp_orders(world.shop())
        world.imported()
        world.synced()
        assert world.held() == {}
        assert world.differences(world.shop(), shop.qualifying()) == []


def test_a_right_that_all_new_orders_need_stops_the_shop(database: str) -> None:
    with World.of(database, orders=4, delivered=0, older=0) as world:
        world.box.roapp.faults.fail("error", 99, method="POST", path="/items$", status=403)
        with pytest.raises(BadConfig, match="HTTP 403") as error:
            world.imported()
        assert (error.value.field, error.value.shop) == ("api_key", world.shop().slug)
        world.box.roapp.faults.calm()
        world.imported()
        assert world.held() == {}
        assert world.differences(world.shop(), world.box.shops[0].qualifying()) == []


@pytest.mark.parametrize(("code", "again"), [(403, 0), (422, 1)])
def test_a_comment_that_is_refused_is_left_out(database: str, code: int, again: int) -> None:
    """An account that takes none is not asked again with each change."""
    with World.of(database, orders=4, delivered=0, older=0) as world:
        world.box.roapp.faults.fail("error", 99, method="POST", path="/comments$", status=code)
        world.imported()
        assert world.held() == {}
        orders = world.roapp_orders(world.shop())
        assert sorted(orders) == sorted(world.box.shops[0].qualifying())
        assert world.synced().calls.roapp_writes == 0
        world.box.shops[0].set_status(world.box.shops[0].qualifying()[0], 8)
        world.box.roapp.clear_calls()
        world.synced()
        assert len([call for call in world.box.roapp.calls if call.path.endswith("/comments")]) == again


def test_products_that_may_not_be_made_are_missing(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        number = world.box.shops[0].place_order(articles=[("CAP-2", 1)])
        world.box.roapp.faults.fail("error", 99, method="POST", path="/products$", status=403)
        world.imported()
        assert world.held() == {("order", number): "product-missing"}


def test_an_order_in_another_currency_is_held(database: str) -> None:
    with World.of(database, orders=2, delivered=0, older=0) as world:
        shop = world.box.shops[0]
        ours, named, foreign = (
            shop.place_order(articles=[("CAP-2", 1)], currency=one) for one in ("UAH", "грн", "USD")
        )
        world.imported()
        assert world.held() == {("order", foreign): "currency-differs"}
        assert {ours, named} <= world.roapp_orders(world.shop()).keys()
        assert foreign not in world.roapp_orders(world.shop())


@pytest.mark.parametrize("zero", [True, False])
def test_a_line_that_the_shop_took_out(database: str, zero: bool) -> None:
    with World.of(database, orders=3, zero_quantity=zero) as world:
        shop = world.box.shops[0]
        number = shop.place_order(articles=[("KR-799", 1), ("LMP-07", 1)])
        world.imported()
        shop.remove_line(number)
        world.synced()
        held = world.held()
        if zero:
            assert held == {}
            assert world.differences(world.shop(), shop.qualifying()) == []
        else:
            ((entity, _), code) = held.popitem()
            assert (entity, code, held) == ("line", "line-not-removable", {})
            assert len(world.roapp_items(number)) == 2


@pytest.mark.parametrize("form", ["object", "string", "both"])
@pytest.mark.parametrize("merge", [True, False])
def test_the_number_stands_in_the_merchants_own_field(database: str, form: str, merge: bool) -> None:
    with World.of(database, orders=4, custom_fields_as=form, custom_fields_merge=merge) as world:
        own, other = (f"f{id_}" for id_ in sorted(world.box.roapp.custom_fields))
        config = world.shop(order_number_field=own)
        shop = world.box.shops[0]
        world.imported(config)
        numbers = shop.qualifying()
        for number in numbers:
            order = world.roapp_order(number, config)
            assert order["custom_fields"][own] == number
            world.box.roapp.edit_order(order["id"], custom_fields={**order["custom_fields"], other: "з реклами"})
        world.box.roapp.edit_order(world.roapp_order(numbers[0], config)["id"], custom_fields={other: "з реклами"})
        shop.set_waybill(numbers[0], "20450000000001")
        shop.set_waybill(numbers[1], "20450000000002")
        world.synced(config)
        assert world.held(config) == {}
        assert world.differences(config, numbers) == []
        for number in numbers:
            fields = world.roapp_order(number, config)["custom_fields"]
            assert fields[own] == number
            assert fields[other] == "з реклами"


def test_an_account_that_takes_no_products_holds_the_orders_that_need_them(database: str) -> None:
    with World.of(database, orders=8, product_create=False) as world:
        roapp, shop = world.box.roapp, world.box.shops[0]
        world.imported()
        held, orders = world.held(), world.roapp_orders(world.shop())
        assert set(held.values()) == {"product-missing"}
        assert {number for _, number in held} | set(orders) == set(shop.qualifying())
        assert not {number for _, number in held} & set(orders)
        assert len([call for call in roapp.calls if call.path == "/catalog/products" and call.method == "POST"]) == 1

        for good in shop.goods:
            if good.article not in {product["code"] for product in roapp.products.values()}:
                roapp.add_product(good.titles["ua"], code=good.article)
        roapp.add_product("Пакування подарункове")
        world.imported()
        assert world.held() == {}
        assert [one for one in world.differences(world.shop(), shop.qualifying()) if "products" not in one] == []


@pytest.mark.parametrize("lost", ["code", "sku", "barcodes"])
def test_a_product_whose_identity_is_not_stored_is_not_made_again(database: str, lost: str) -> None:
    by = "barcode" if lost == "barcodes" else lost
    with World.of(database, orders=0, delivered=0, older=0, product_unstored=(lost,)) as world:
        config = world.shop(identify_products_by=by)
        shop, roapp = world.box.shops[0], world.box.roapp
        wanted = [shop.place_order(articles=[("CAP-2", 1)]), shop.place_order(articles=[("CAP-2", 2)])]
        world.imported(config)
        for _ in range(2):
            world.synced(config)
            world.imported(config)
            world.a_day_later()
        made = [product for product in world.made_products() if product["title"] == "Кепка"]
        assert len(made) == 1
        held = world.held(config)
        assert all(("order", number) in held for number in wanted)
        assert set(held.values()) <= {"product-not-identifiable", "product-missing"}

        roapp.edit_product(made[0]["id"], **{lost: [shop.good("CAP-2").gtin] if lost == "barcodes" else "CAP-2"})
        world.imported(config)
        assert not any(("order", number) in world.held(config) for number in wanted)
        assert all(len(world.roapp_orders(config)[number]) == 1 for number in wanted)


def test_a_bad_phone_never_holds_an_order(database: str) -> None:
    with World.of(database, orders=1, phone_strict=True) as world:
        shop = world.box.shops[0]
        for phone in ("-", "немає", "123", "+380", "0" * 12, "дзвонити ввечері", "(044) 23", ""):
            shop.place_order(articles=[("KR-799", 1)], delivery_phone=phone, delivery_email="")
        world.imported()
        assert world.held() == {}
        assert world.differences(world.shop(), shop.qualifying()) == []
