"""Statuses travel both ways where the shop says so: what staff set in RO App reaches the shop by the next sync."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from world import World

from cartum_roapp import writeback
from cartum_roapp.apis.http import stamp
from cartum_roapp.apis.limiter import LocalLimiter
from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoOrder
from cartum_roapp.errors import Retryable
from cartum_roapp.ledger import held
from cartum_roapp.shops import ShopConfig
from cartum_roapp.sync import sentence
from sandbox.cartum_shop import CartumShop
from sandbox.roapp_account import RoAppAccount
from tasks.links import Links
from tasks.summary import result_of, summary_text

NEW, PROCESSING, DELIVERED, CANCELED, SHIPPING = 1, 2, 3, 4, 6


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=2, delivered=0, older=0) as world:
        world.imported(both(world))
        yield world


@pytest.fixture
def box(world: World) -> CartumShop:
    return world.box.shops[0]


@pytest.fixture
def roapp(world: World) -> RoAppAccount:
    return world.box.roapp


@pytest.fixture
def number(world: World, box: CartumShop) -> str:
    """An order that is new on both sides."""
    number = box.place_order(articles=[("KR-799", 1)])
    world.synced(both(world))
    return number


def both(world: World, **changes: object) -> ShopConfig:
    return world.shop(status_direction="both", **changes)


def in_roapp(world: World, number: str, status: int) -> None:
    """Staff set the status that the shop's `status` is matched with."""
    world.box.roapp.set_status(world.roapp_order(number)["id"], both(world).statuses[status])


def updates(box: CartumShop) -> int:
    return sum(call.path == "orders/update" for call in box.calls)


def writes(world: World) -> int:
    return sum(call.method != "GET" for call in world.box.roapp.calls)


def broken_off(world: World, box: CartumShop) -> None:
    """A sync that ends between the shop's write and the look that makes sure of it."""

    def break_off(method: str, path: str, phase: str) -> None:
        if path == "orders/update" and phase == "applied":
            box.faults.fail("error", 1000, path="^orders/get$")

    stop = box.on_call(break_off)
    with pytest.raises(Retryable):
        world.synced(both(world))
    stop()
    box.faults.calm()


def well(world: World) -> None:
    assert world.held() == {}
    assert (
        world.differences(world.shop(), sorted({*world.box.shops[0].qualifying(), *world.roapp_orders(world.shop())}))
        == []
    )


def test_what_staff_set_reaches_the_shop_once(world: World, box: CartumShop, number: str) -> None:
    for status in (PROCESSING, SHIPPING, DELIVERED):
        in_roapp(world, number, status)
        before = updates(box), writes(world)
        world.synced(both(world))
        assert box.orders[number]["stat_status"] == status
        for _ in range(2):
            world.synced(both(world))
        assert (updates(box), writes(world)) == (before[0] + 1, before[1]), "one call to the shop, none to RO App"
        well(world)


def test_a_run_without_a_change_writes_nothing(world: World, box: CartumShop) -> None:
    before = updates(box), writes(world), world.value("SELECT sum(xmin::text::bigint) FROM order_matches")
    run = world.synced(both(world))
    assert (run.counts.new, run.counts.changed, run.counts.delivered) == (0, 0, 0)
    assert (updates(box), writes(world)) == before[:2]
    assert world.value("SELECT sum(xmin::text::bigint) FROM order_matches") == before[2]


def test_statuses_go_one_way_where_nothing_else_is_said(world: World, box: CartumShop, number: str) -> None:
    in_roapp(world, number, SHIPPING)
    world.synced()
    assert box.orders[number]["stat_status"] == NEW
    assert updates(box) == 0


def test_the_shops_change_wins_over_staffs(world: World, box: CartumShop, number: str) -> None:
    in_roapp(world, number, SHIPPING)
    box.set_status(number, CANCELED)
    world.synced(both(world))
    world.synced(both(world))
    assert box.orders[number]["stat_status"] == CANCELED
    assert updates(box) == 0
    well(world)


def test_both_sides_take_turns(world: World, box: CartumShop, number: str) -> None:
    for status in (PROCESSING, SHIPPING, PROCESSING, CANCELED, NEW):
        in_roapp(world, number, status)
        world.synced(both(world))
        assert box.orders[number]["stat_status"] == status
        box.set_status(number, DELIVERED)
        world.synced(both(world))
        assert world.roapp_order(number)["status_id"] == both(world).statuses[DELIVERED]
        assert box.orders[number]["stat_status"] == DELIVERED
    well(world)


def test_an_order_changed_in_the_shop_right_after_is_read_again(world: World, box: CartumShop, number: str) -> None:
    in_roapp(world, number, SHIPPING)
    world.synced(both(world))
    box.set_status(number, NEW)  # as it was before
    world.synced(both(world))
    assert world.roapp_order(number)["status_id"] == both(world).statuses[NEW]
    well(world)


def test_a_step_of_the_workshop_that_the_shop_has_no_word_for_stays_there(
    world: World, box: CartumShop, roapp: RoAppAccount, number: str
) -> None:
    own = next(iter(sorted(set(roapp.statuses) - set(both(world).statuses.values()))))
    roapp.set_status(world.roapp_order(number)["id"], own)
    world.synced(both(world))
    assert (box.orders[number]["stat_status"], updates(box)) == (NEW, 0)
    assert world.held() == {}
    in_roapp(world, number, SHIPPING)
    world.synced(both(world))
    assert box.orders[number]["stat_status"] == SHIPPING
    well(world)


def test_of_several_statuses_that_are_matched_alike_the_shop_gets_the_lowest(
    world: World, box: CartumShop, number: str
) -> None:
    statuses = both(world).statuses
    alike = both(world, statuses={**statuses, 7: statuses[SHIPPING], 8: statuses[SHIPPING]})
    box.set_status(number, 8)
    world.synced(alike)
    assert (box.orders[number]["stat_status"], updates(box)) == (8, 0), "they agree as it is"
    in_roapp(world, number, PROCESSING)
    world.synced(alike)
    in_roapp(world, number, SHIPPING)
    world.synced(alike)
    assert box.orders[number]["stat_status"] == SHIPPING


def test_of_those_it_gets_one_that_it_still_has(world: World, box: CartumShop, number: str) -> None:
    """The old one stays matched for the orders that have it."""
    statuses = both(world).statuses
    box.add_status(9, {"ua": "Збираємо"})
    box.statuses.pop(SHIPPING)
    alike = both(world, statuses={**statuses, 9: statuses[SHIPPING]})
    world.synced(alike)
    in_roapp(world, number, SHIPPING)
    world.synced(alike)
    assert box.orders[number]["stat_status"] == 9
    assert world.held() == {}


def test_what_the_shop_refuses_is_held_and_let_go_when_they_agree(world: World, box: CartumShop, number: str) -> None:
    """The shop has deleted its status Shipping, which RO App's orders may still have."""
    title = box.statuses.pop(SHIPPING)
    in_roapp(world, number, SHIPPING)
    world.synced(both(world))
    assert world.held() == {("status", number): "refused-by-shop"}
    (one,) = held.listed(world.engine, world.shop().key)
    assert "status is not defined" in one.message
    before = updates(box)
    world.synced(both(world))
    assert updates(box) == before, "not at every sync"
    assert world.replayed(number, shop=both(world))[0]["outcome"] == "held"
    assert updates(box) == before + 1
    box.statuses[SHIPPING] = title
    assert world.replayed(number, shop=both(world))[0]["outcome"] == "delivered"
    assert box.orders[number]["stat_status"] == SHIPPING
    world.synced(both(world))
    well(world)


@pytest.mark.parametrize("side", ["shop", "roapp"])
def test_a_refused_status_is_let_go_when_somebody_sets_another(
    world: World, box: CartumShop, number: str, side: str
) -> None:
    del box.statuses[SHIPPING]
    in_roapp(world, number, SHIPPING)
    world.synced(both(world))
    assert world.held() == {("status", number): "refused-by-shop"}
    if side == "shop":
        box.set_status(number, CANCELED)
    else:
        in_roapp(world, number, NEW)
    world.synced(both(world))
    world.synced(both(world))
    well(world)


def test_without_the_right_to_change_orders_the_rest_goes_on(world: World, box: CartumShop, number: str) -> None:
    box.faults.undefined_functions = ("orders/update",)
    in_roapp(world, number, SHIPPING)
    fresh = box.place_order(articles=[("KR-799", 1)])
    world.synced(both(world))
    assert world.held() == {("status", number): "refused-by-shop"}
    assert len(world.roapp_orders(world.shop())[fresh]) == 1


def test_an_order_that_is_gone_in_the_shop_is_left_alone(world: World, box: CartumShop, number: str) -> None:
    box.delete_order(number)
    in_roapp(world, number, SHIPPING)
    for _ in range(3):
        world.synced(both(world))
    assert (updates(box), world.held()) == (0, {})


def test_a_lost_ledger_does_not_lose_what_staff_set_before(world: World, box: CartumShop, number: str) -> None:
    in_roapp(world, number, SHIPPING)
    world.purged()
    world.imported(both(world))
    world.synced(both(world))
    assert box.orders[number]["stat_status"] == SHIPPING
    world.synced(both(world))
    well(world)


def test_another_shop_of_the_account_keeps_its_own(database: str) -> None:
    with World.of(database, orders=4, delivered=0, older=0, shops=2) as world:
        one, other = both(world), world.shop(1)
        for shop in (one, other):
            world.imported(shop, one, other)
        for index, shop in enumerate((one, other)):
            number = world.box.shops[index].place_order(articles=[("KR-799", 1)])
            world.synced(shop, one, other)
            world.box.roapp.set_status(world.roapp_order(number, shop)["id"], shop.statuses[SHIPPING])
            world.synced(one, one, other)
            world.synced(other, one, other)
            assert world.box.shops[index].orders[number]["stat_status"] == (SHIPPING if shop is one else NEW)


def test_a_shop_that_says_ok_and_keeps_its_status_is_not_believed(world: World, box: CartumShop, number: str) -> None:
    def keep(method: str, path: str, phase: str) -> None:
        if path == "orders/update" and phase == "applied":
            box.set_status(number, NEW)

    in_roapp(world, number, SHIPPING)
    stop = box.on_call(keep)
    world.synced(both(world))
    stop()
    assert world.held() == {("status", number): "refused-by-shop"}
    assert world.replayed(number, shop=both(world))[0]["outcome"] == "delivered"
    assert box.orders[number]["stat_status"] == SHIPPING


def test_an_order_that_is_delivered_while_staff_are_looked_at_keeps_the_shops_status(
    world: World, box: CartumShop, number: str
) -> None:
    """Another run delivers the shop's change after staff's status was read in RO App."""

    class Overtaken(RoApp):
        async def walk_orders(self, **asked: Any) -> AsyncIterator[list[RoOrder]]:
            async for page in super().walk_orders(**asked):
                box.set_status(number, CANCELED)
                await asyncio.to_thread(world.synced, both(world))
                yield page

    async def write_back() -> None:
        run = world.run("incremental-sync", both(world))
        async with Overtaken(run.account.base_url, run.account.api_key, limiter=LocalLimiter(0)) as roapp:
            await writeback.note_staff_statuses(run.engine, run.shop, roapp, run.started)
        async with run.reading() as api:
            assert await writeback.set_shop_statuses(run.engine, run.shop, api, timedelta(0)) == []

    in_roapp(world, number, SHIPPING)
    asyncio.run(write_back())
    world.synced(both(world))
    assert (box.orders[number]["stat_status"], updates(box)) == (CANCELED, 0)
    well(world)


@pytest.mark.parametrize("switch", [{"filter_form": "ignored"}, {"filter_form": "bare"}])
def test_whatever_roapp_makes_of_the_filter(world: World, box: CartumShop, number: str, switch: dict[str, str]) -> None:
    world.box.roapp.faults.switch(**switch)
    in_roapp(world, number, SHIPPING)
    world.synced(both(world))
    world.synced(both(world))
    assert (box.orders[number]["stat_status"], updates(box)) == (SHIPPING, 1)
    well(world)


@pytest.mark.long
@pytest.mark.parametrize(
    "fault", ["error", "error_after", "drop", "drop_after", "html", "half", "word", "unauthorized"]
)
def test_a_shop_that_does_not_answer_well_has_the_status_all_the_same(
    world: World, box: CartumShop, number: str, fault: str
) -> None:
    in_roapp(world, number, SHIPPING)
    box.faults.fail(fault, 2, path="^orders/update$")
    world.synced(both(world))
    assert box.orders[number]["stat_status"] == SHIPPING
    world.synced(both(world))
    well(world)


def test_what_staff_set_after_a_broken_write_back_is_not_turned_back(
    world: World, box: CartumShop, number: str
) -> None:
    in_roapp(world, number, PROCESSING)
    broken_off(world, box)
    assert box.orders[number]["stat_status"] == PROCESSING
    in_roapp(world, number, DELIVERED)
    world.synced(both(world))
    assert box.orders[number]["stat_status"] == DELIVERED
    well(world)


def test_an_order_that_the_shop_never_answers_for_stops_nothing(world: World, box: CartumShop, number: str) -> None:
    second = box.place_order(articles=[("KR-799", 1)])
    world.synced(both(world))
    in_roapp(world, number, SHIPPING)
    in_roapp(world, second, SHIPPING)
    box.faults.fail("error", 3, path="^orders/update$")
    world.synced(both(world))
    assert world.held() == {("status", number): "refused-by-shop"}
    assert box.orders[second]["stat_status"] == SHIPPING
    assert world.replayed(number, shop=both(world))[0]["outcome"] == "delivered"
    world.synced(both(world))
    well(world)


def test_a_change_in_the_shop_right_before_the_write_wins(world: World, box: CartumShop, number: str) -> None:
    second = box.place_order(articles=[("KR-799", 1)])
    world.synced(both(world))
    in_roapp(world, number, SHIPPING)
    in_roapp(world, second, SHIPPING)

    def cancel(method: str, path: str, phase: str) -> None:
        if path == "orders/update" and phase == "applied":
            stop()
            box.set_status(second, CANCELED)

    stop = box.on_call(cancel)
    world.synced(both(world))
    world.synced(both(world))
    assert box.orders[second]["stat_status"] == CANCELED
    well(world)


def test_staffs_status_is_not_forgotten_while_the_shops_waits(world: World, box: CartumShop, number: str) -> None:
    """The shop goes to a status that is not matched, and back."""
    shop = both(world, statuses={ours: theirs for ours, theirs in both(world).statuses.items() if ours != 8})
    box.set_status(number, 8)
    world.synced(shop)
    assert world.held() == {("status", number): "status-unmatched"}
    in_roapp(world, number, SHIPPING)
    world.synced(shop)
    world.box.clock.shift(minutes=30)
    box.place_order(articles=[("KR-799", 1)])
    world.synced(shop)
    world.synced(shop)
    assert box.orders[number]["stat_status"] == 8
    box.set_status(number, NEW)
    world.synced(shop)
    world.synced(shop)
    assert box.orders[number]["stat_status"] == SHIPPING
    well(world)


def test_what_staff_set_while_statuses_went_one_way_stays_theirs(world: World, box: CartumShop) -> None:
    before, after = (box.place_order(articles=[("KR-799", 1)]) for _ in range(2))
    world.synced()
    in_roapp(world, before, CANCELED)
    world.synced()
    world.synced(both(world))
    box.set_waybill(before, "20450000000001")  # RO App's order is modified once more
    in_roapp(world, after, SHIPPING)
    world.synced(both(world))
    world.synced(both(world))
    assert [box.orders[one]["stat_status"] for one in (before, after)] == [NEW, SHIPPING]
    assert world.held() == {}


def test_a_shop_whose_statuses_go_one_way_again_forgets_what_was_held(
    world: World, box: CartumShop, number: str
) -> None:
    title = box.statuses.pop(SHIPPING)
    in_roapp(world, number, SHIPPING)
    world.synced(both(world))
    assert world.held() == {("status", number): "refused-by-shop"}
    world.synced()
    assert world.held() == {}
    box.statuses[SHIPPING] = title
    world.synced(both(world))
    assert box.orders[number]["stat_status"] == NEW, "what staff set before is theirs"


def test_what_an_import_noted_is_forgotten_as_well(world: World, box: CartumShop) -> None:
    """One way again before any sync has looked at what staff set."""
    number = next(iter(world.roapp_orders(world.shop())))
    status = box.orders[number]["stat_status"]
    world.synced()
    in_roapp(world, number, PROCESSING if status == SHIPPING else SHIPPING)
    world.synced()
    world.synced(both(world))
    world.synced(both(world))
    assert (box.orders[number]["stat_status"], updates(box)) == (status, 0)


def test_what_staff_set_on_an_old_order_after_a_broken_write_back_is_not_turned_back(
    world: World, box: CartumShop
) -> None:
    """It has been final for so long that syncs don't read it any more."""
    number = box.place_order(created=box.clock.now() - timedelta(days=3), articles=[("KR-799", 1)])
    world.synced(both(world))
    box.set_status(number, DELIVERED)
    world.synced(both(world))
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE orders SET final_since = now() - interval '20 days'"))
        connection.execute(text("UPDATE shops SET watermark = now()"))

    in_roapp(world, number, CANCELED)
    broken_off(world, box)
    in_roapp(world, number, DELIVERED)
    world.synced(both(world))
    world.reconciled(both(world), repair=True)
    world.synced(both(world))
    assert box.orders[number]["stat_status"] == DELIVERED
    well(world)


def test_the_shops_change_wins_also_where_it_is_what_it_had_refused_before(
    world: World, box: CartumShop, number: str
) -> None:
    title = box.statuses.pop(SHIPPING)
    in_roapp(world, number, SHIPPING)
    world.synced(both(world))
    box.statuses[SHIPPING] = title
    in_roapp(world, number, PROCESSING)
    box.set_status(number, SHIPPING)
    world.synced(both(world))
    world.synced(both(world))
    assert box.orders[number]["stat_status"] == SHIPPING
    well(world)


@pytest.mark.parametrize("ahead", [timedelta(minutes=100), timedelta(days=3000)])
def test_a_stamp_of_another_age_hides_nothing(world: World, box: CartumShop, number: str, ahead: timedelta) -> None:
    roapp = world.box.roapp
    other = next(one for one in roapp.orders.values() if one["id"] != world.roapp_order(number)["id"])
    roapp.edit_order(other["id"])
    other["modified_at"] = stamp(datetime.now(UTC) + ahead)
    world.synced(both(world))
    in_roapp(world, number, SHIPPING)
    world.synced(both(world))
    assert box.orders[number]["stat_status"] == SHIPPING


def test_the_run_that_sets_it_says_so_and_the_next_one_has_nothing_to_say(
    world: World, box: CartumShop, number: str
) -> None:
    in_roapp(world, number, PROCESSING)
    run = world.synced(both(world))
    result = result_of(run)
    assert [(one["number"], one["what"], bool(one["changes"])) for one in result["touched"]] == [
        (number, "set in the shop", True)
    ]
    assert result["set_in_shop"] == 1 and "1 set in the shop" in sentence.of_run(result)
    assert "### 1 set in the shop\n" in summary_text(result, Links.of(run))

    idle = result_of(world.synced(both(world)))
    assert (idle["changed"], idle["touched"], idle["set_in_shop"]) == (0, [], 0)


def test_what_the_manager_took_back_after_it_was_set_goes_to_ro_app(world: World, box: CartumShop, number: str) -> None:
    """Between two syncs, so that the shop shows what it had when it was read last."""
    in_roapp(world, number, PROCESSING)
    world.synced(both(world))
    box.set_status(number, NEW)
    world.synced(both(world))
    well(world)
    assert world.roapp_order(number)["status_id"] == both(world).statuses[NEW]
