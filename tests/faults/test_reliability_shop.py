"""What the shop does while it is read: orders that come, go, move between pages, and are all gone at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from points import QUICK, Points, Recovery, Struck, judged, looked_at, place, quiet
from reliability import Record
from sampling import Sample
from world import Row, Toll, World

from cartum_roapp.errors import BadConfig

SECTION = "In the shop"
ROW_ORDERS = ("newest", "oldest", "unstable")
ORDERS = 7


def place_many(world: World) -> None:
    """Orders of the last hours, that one read of the shop brings on several pages."""
    shop = world.box.shops[0]
    for hours in range(ORDERS, 0, -1):
        created = world.box.clock.now() - timedelta(hours=hours)
        shop.place_order(created=created, articles=[("CAP-2", hours)], delivery_phone=f"+38067000000{hours}")


def place_another(world: World) -> None:
    world.box.shops[0].place_order(articles=[("KR-799", 1)], delivery_phone="+380670000009")


def finish_oldest(world: World) -> None:
    """It leaves the list of open orders: what follows moves up."""
    shop = world.box.shops[0]
    shop.set_status(min(shop.orders, key=int), 4)


def change_oldest(world: World) -> None:
    shop = world.box.shops[0]
    shop.change_line(min(shop.orders, key=int), quantity=77)


MOVES = {
    "an order is placed between two pages": place_another,
    "an order leaves the list between two pages": finish_oldest,
    "an order changes between two pages": change_oldest,
}


@pytest.mark.long
@pytest.mark.parametrize("move", MOVES)
def test_rows_that_move_while_they_are_read(points: Points, record: Record, move: str) -> None:
    struck = points(moved, MOVES[move])
    assert struck.about > 15
    record(SECTION, move, struck.toll, "the same run or the next one")


def moved(url: str, n: int, move: Callable[[World], None]) -> Struck | None:
    """The move happens after the n-th page that the shop has sent; the rows come in another order each time."""
    with quiet(url, QUICK, row_order=ROW_ORDERS[n % len(ROW_ORDERS)], page_cap=3) as world:
        place_many(world)
        done = at_call(world, n, move, path="orders/get")
        world.imported()
        world.synced()
        if not done:
            return None
        return judged(world)


def at_call(world: World, n: int, action: Callable[[World], None], phase: str = "applied", path: str = "") -> list[int]:
    """Does it once, when the shop has its n-th call of this path; the list is empty until then."""
    count = 0
    done: list[int] = []

    def listen(method: str, called: str, now: str) -> None:
        nonlocal count
        if now == phase and path in called:
            if count == n:
                done.append(n)
                action(world)
            count += 1

    world.box.shops[0].on_call(listen)
    return done


CAPS = range(1, 7)
STEADY: list[Row] = [
    *({"page_cap": cap, "row_order": order} for cap in CAPS for order in ROW_ORDERS if order != "unstable"),
    {"offset_ignored": True},
    {"paging_unsupported": True},
]
SHUFFLED: list[Row] = [{"page_cap": cap, "row_order": "unstable"} for cap in CAPS]


@pytest.mark.long
def test_a_shop_that_cuts_its_pages_short(points: Points, record: Record, sample: Sample) -> None:
    struck = points.each(cut, sample.of(STEADY))
    assert struck.recovery is Recovery.SAME_RUN
    record(SECTION, "pages cut to 1–6 rows, or paging ignored", struck.toll, "same run")


@pytest.mark.long
def test_a_shop_that_cuts_its_pages_short_and_shuffles_them_at_each_call(
    points: Points, record: Record, sample: Sample
) -> None:
    struck = points.each(cut, sample.of(SHUFFLED))
    assert struck.recovery is Recovery.SAME_RUN
    record(SECTION, "pages cut to 1–6 rows, shuffled at each call", struck.toll, "same run")


def cut(url: str, form: Row) -> Struck:
    with quiet(url, QUICK, **form) as world:
        place_many(world)
        world.imported()
        place_another(world)
        change_oldest(world)
        world.synced()
        return judged(world)


# -- orders that are gone ---------------------------------------------------------------------------------------------


@pytest.mark.long
def test_an_order_deleted_at_any_moment(points: Points, record: Record) -> None:
    """RO App keeps it, and its notes say so after two more runs; one that nobody has read yet never comes in."""
    struck = points(deleted)
    assert struck.about > 20
    record(SECTION, "an order deleted in the shop", struck.toll, "two more runs; then RO App's notes say so")


def deleted(url: str, n: int) -> Struck | None:
    with quiet(url, QUICK) as world:
        place(world)
        shop = world.box.shops[0]
        number = next(iter(shop.orders))
        done = at_call(world, n, lambda world: shop.delete_order(number))
        world.imported()
        shop.place_order(articles=[("UMB-1", 2)], delivery_phone="+380 50 222 33 44")
        world.synced()
        world.synced()
        if not done:
            return None
        world.synced()
        world.synced()
        gone = world.roapp_orders(world.shop()).pop(number, [])
        struck = judged(world, gone=[number])
        if [row for row in gone if "видалено в магазині" not in row["manager_notes"]]:
            struck.toll.wrong.append("RO App's notes don't say that the order is gone")
        return struck


@pytest.mark.long
@pytest.mark.parametrize("left", [0, 1])
def test_all_orders_gone_at_once_stops_the_shop_and_touches_nothing(points: Points, record: Record, left: int) -> None:
    struck = points(vanished, left)
    assert struck.about > 3
    what = "all orders gone at once" if left == 0 else "all orders but one gone at once"
    record(SECTION, what, struck.toll, "the shop is put off, nothing is touched; it goes on by itself with its rights")


def vanished(url: str, n: int, left: int) -> Struck | None:
    """From the n-th call of a sync on the shop shows nothing more, or `left` orders; until its rights are back."""
    with quiet(url, QUICK) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        place_many(world)
        for number in list(shop.orders):
            shop.edit(number, stat_created=f"{world.box.clock.now() - timedelta(days=9):%Y-%m-%d %H:%M:%S}")
        world.imported()
        before = {id_: (row["manager_notes"], row["modified_at"]) for id_, row in roapp.orders.items()}
        hidden: dict[str, Row] = {}

        def hide(world: World) -> None:
            hidden.update(list(shop.orders.items())[left:])
            for number in hidden:
                shop.delete_order(number)

        done = at_call(world, n, hide, "before")
        stops_at_vanished(world)
        if not done:
            return None
        toll = Toll()
        if not (stops_at_vanished(world) and stops_at_vanished(world)):
            toll.wrong.append("a sync that found the orders gone did not stop")
        if before != {id_: (row["manager_notes"], row["modified_at"]) for id_, row in roapp.orders.items()}:
            toll.wrong.append("RO App was touched")
        shop.orders.update(hidden)
        shop.revision += 1
        world.synced()
        toll += looked_at(world)
        return Struck(toll, Recovery.NEXT_RUN)


def stops_at_vanished(world: World) -> bool:
    try:
        world.synced()
    except BadConfig as error:
        return "vanished" in str(error)
    return False
