"""What is held is let go by the next sync once its cause is gone, and blocks nobody meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from world import World

from cartum_roapp.ledger import deleted_shops, held
from cartum_roapp.shops import ShopConfig

PHONE = "+380671112233"
FIELD = "ad_campaign_id"
Mend = Callable[[], object]


def later(world: World, minutes: float) -> None:
    """All that is held was tried that long ago."""
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE held SET last_at = last_at - make_interval(mins => :m)"), {"m": minutes})


def unknown_product(world: World) -> tuple[str, Mend]:
    world.box.roapp.faults.product_create = False
    number = world.box.shops[0].place_order(articles=[("CAP-2", 1)])
    return number, lambda: world.box.roapp.add_product("Кепка", code="CAP-2")


def ambiguous_product(world: World) -> tuple[str, Mend]:
    first = world.box.roapp.add_product("Кепка", code="CAP-2")
    second = world.box.roapp.copy_product(first)
    number = world.box.shops[0].place_order(articles=[("CAP-2", 1)])
    return number, lambda: world.box.roapp.edit_product(second, code="CAP-2-OLD")


def ambiguous_contact(world: World) -> tuple[str, Mend]:
    roapp = world.box.roapp
    first, second = (roapp.add_contact(name, phones=[PHONE]) for name in ("Олена", "Лена"))
    roapp.seeded["contacts"] |= {first, second}
    number = world.box.shops[0].place_order(articles=[("CAP-2", 1)], delivery_phone=PHONE)
    return number, lambda: roapp.edit_contact(second, phones=[])


def demanded_field(world: World) -> tuple[str, Mend]:
    faults = world.box.roapp.faults
    faults.required_order_fields = (FIELD,)
    number = world.box.shops[0].place_order(articles=[("CAP-2", 1)])
    return number, lambda: faults.switch(required_order_fields=())


def unknown_field(world: World) -> tuple[str, Mend]:
    fields = world.box.roapp.custom_fields
    id_, field = fields.popitem()
    number = world.box.shops[0].place_order(articles=[("CAP-2", 1)])
    return number, lambda: fields.update({id_: field})


CASES: list[tuple[Callable[[World], tuple[str, Mend]], str]] = [
    (unknown_product, "product-missing"),
    (ambiguous_product, "product-ambiguous"),
    (ambiguous_contact, "contact-ambiguous"),
    (demanded_field, "refused"),
    (unknown_field, "refused"),
]


@pytest.mark.parametrize(("broken", "code"), CASES, ids=[case.__name__ for case, _ in CASES])
def test_what_is_mended_in_ro_app_goes_through_with_the_next_look(
    database: str, broken: Callable[[World], tuple[str, Mend]], code: str
) -> None:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        shop = world.box.shops[0]
        world.box.roapp.add_product("Кросівки", code="KR-799")
        last = max(world.box.roapp.custom_fields)
        config = world.shop(order_number_field=f"f{last}" if broken is unknown_field else None)
        world.imported(config)
        number, mend = broken(world)
        world.synced(config)
        assert world.held(config) == {("order", number): code}
        later(world, 16)
        other = shop.place_order(articles=[("KR-799", 1)]) if code != "refused" else None
        world.synced(config)
        (record,) = held.listed(world.engine, config.key)
        assert (record.code, record.attempts) == (code, 2), "tried again, and held again"
        assert record.first_at < record.last_at
        if other:
            assert len(world.roapp_orders(config)[other]) == 1, "the others go through"

        mend()
        world.synced(config)
        assert world.held(config) == {("order", number): code}, "not before the next look is due"
        later(world, 31)
        world.synced(config)
        assert world.held(config) == {}
        numbers = [number, other] if other else [number]
        assert [one for one in world.differences(config, numbers) if "products" not in one] == []


def test_a_refused_order_is_tried_more_and_more_rarely_but_never_given_up(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        world.imported()
        number, mend = demanded_field(world)
        tries = []
        for minutes in (0, 16, 16, 31, 61, 121, 241, 241, 241):
            later(world, minutes)
            world.synced()
            tries.append(held.listed(world.engine, world.shop().key)[0].attempts)
        assert tries == [1, 2, 2, 3, 4, 5, 6, 7, 8]
        mend()
        later(world, 241)
        world.synced()
        assert world.held() == {}
        assert world.differences(world.shop(), [number]) == []


def test_old_refusals_that_are_tried_again_together_do_not_pause_the_shop(database: str) -> None:
    """Three at once would mean wrong settings; three of different days are three odd orders."""
    with World.of(database, orders=0, delivered=0, older=0) as world:
        world.imported()
        numbers = []
        for _ in range(4):
            numbers.append(demanded_field(world)[0])
            world.synced()
        assert world.held() == {("order", number): "refused" for number in numbers}
        world.box.roapp.faults.required_order_fields = ()
        placed = world.box.shops[0].place_order(articles=[("KR-799", 1)])
        world.synced()
        world.box.roapp.faults.required_order_fields = (FIELD,)
        later(world, 241)
        world.synced()
        assert world.held() == {("order", number): "refused" for number in numbers}
        assert len(world.roapp_orders(world.shop())[placed]) == 1


def test_a_status_that_ro_app_takes_by_now_is_sent(database: str) -> None:
    with World.of(database, orders=3, delivered=0, older=0) as world:
        world.imported()
        shop, roapp = world.box.shops[0], world.box.roapp
        number, *_ = shop.qualifying()
        roapp.faults.refused_statuses = (world.shop().statuses[6],)
        shop.set_status(number, 6)
        world.synced()
        assert world.held() == {("status", number): "refused"}
        roapp.faults.refused_statuses = ()
        world.synced()
        assert world.held() == {("status", number): "refused"}
        later(world, 16)
        world.synced()
        assert world.held() == {}
        assert world.differences(world.shop(), shop.qualifying()) == []


def test_a_status_that_differs_is_let_go_once_a_person_has_set_it(database: str) -> None:
    with World.of(database, orders=3, delivered=0, older=0) as world:
        world.imported()
        shop, roapp = world.box.shops[0], world.box.roapp
        number, *_ = shop.qualifying()
        shop.set_status(number, 2)
        world.synced()
        roapp.set_status(world.roapp_order(number)["id"], world.shop().statuses[6])
        shop.set_status(number, 7)
        deleted_shops.forget(world.engine, world.shop().key, purge=True)
        world.imported()
        assert world.held() == {("status", number): "status-differs"}
        later(world, 16)
        world.synced()
        assert world.held() == {("status", number): "status-differs"}
        assert world.roapp_order(number)["status_id"] == world.shop().statuses[6], "nothing is turned back"
        roapp.set_status(world.roapp_order(number)["id"], world.shop().statuses[7])
        later(world, 31)
        world.synced()
        assert world.held() == {}


def test_a_line_that_a_person_took_out_is_let_go(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0, zero_quantity=False) as world:
        shop = world.box.shops[0]
        number = shop.place_order(articles=[("KR-799", 1), ("LMP-07", 1)])
        world.imported()
        shop.remove_line(number)
        world.synced()
        ((entity, id_), code) = world.held().popitem()
        assert (entity, code) == ("line", "line-not-removable")
        later(world, 16)
        world.synced()
        (record,) = held.listed(world.engine, world.shop().key)
        assert (record.id, record.attempts) == (id_, 2)
        items = world.box.roapp.items[world.roapp_order(number)["id"]]
        items[:] = [item for item in items if item["id"] != int(id_.partition("/")[2])]
        world.box.roapp.touch(world.roapp_order(number)["id"])
        later(world, 31)
        world.synced()
        assert world.held() == {}
        assert world.differences(world.shop(), [number]) == []


def test_a_status_held_of_an_order_that_the_shop_deleted_is_let_go(database: str) -> None:
    with World.of(database, orders=3, delivered=0, older=0) as world:
        world.imported()
        shop = world.box.shops[0]
        number, *_ = shop.qualifying()
        world.box.roapp.faults.refused_statuses = (world.shop().statuses[6],)
        shop.set_status(number, 6)
        world.synced()
        shop.delete_order(number)
        for _ in range(2):
            world.synced()
        assert world.held() == {}


@pytest.mark.parametrize("status", [1, 4], ids=["open", "canceled"])
def test_a_row_that_the_shop_corrects_arrives(database: str, status: int) -> None:
    with World.of(database, orders=2, delivered=0, older=0) as world:
        shop = world.box.shops[0]
        world.imported()
        number = shop.place_order(status=status, total_sum="not a sum")
        world.synced()
        assert world.held() == {("row", number): "order-total"}
        placed = datetime.fromisoformat(shop.orders[number]["stat_created"]) - timedelta(days=3)
        total = sum(float(line["total_price"]) for line in shop.orders[number]["products"])
        shop.edit(number, stat_created=str(placed), total_sum=total, total_default=total)
        world.synced()
        assert world.held() == {}
        assert world.differences(world.shop(), shop.qualifying()) == []


def test_a_row_that_the_shop_deletes_is_let_go_after_two_reads(database: str) -> None:
    with World.of(database, orders=4, delivered=0, older=0) as world:
        shop = world.box.shops[0]
        world.imported()
        number = shop.place_order(total_sum="not a sum")
        world.synced()
        shop.delete_order(number)
        world.synced()
        assert world.held() == {("row", number): "order-total"}
        run = world.synced()
        assert world.held() == {}
        assert run.counts.changed == 0


@pytest.mark.parametrize("bad", ["product", "row"])
def test_one_bad_line_among_ten_orders_holds_that_order_alone(database: str, bad: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        shop = world.box.shops[0]
        config: ShopConfig = world.shop(missing_products="hold")
        world.box.roapp.add_product("Кросівки", code="KR-799")
        world.box.roapp.seeded["products"] = set(world.box.roapp.products)
        numbers = [shop.place_order(articles=[("KR-799", 1)]) for _ in range(10)]
        change: dict[str, Any] = {"article": "XX-1", "title": "Невідоме"} if bad == "product" else {"price": "free"}
        shop.orders[numbers[4]]["products"][0].update(change)
        world.imported(config)
        assert set(world.held(config)) == {("order" if bad == "product" else "row", numbers[4])}
        assert world.differences(config, [one for one in numbers if one != numbers[4]]) == []
