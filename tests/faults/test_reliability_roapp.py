"""An RO App that ignores filters, whose clock is off, and whose staff delete by hand what we have made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from points import QUICK, Fault, Points, Recovery, Struck, change, judged, place, quiet, strike
from reliability import Record
from world import World

from sandbox.clock import Clock

SECTION = "In RO App"


def an_hour_ahead(world: World) -> None:
    world.box.roapp.clock = Clock(timedelta(hours=1))
    place(world)


def an_hour_behind(world: World) -> None:
    world.box.roapp.clock = Clock(timedelta(hours=-1))
    place(world)


DEAF: dict[str, Any] = {"filter_form": "ignored", "sort_ignored": True, "page_size": 4}
# In each the answer of one call gets lost, so that what the call made has to be looked for.
LOST = {
    "filters ignored, and an answer lost": Fault("roapp", "drop_after", switches=DEAF),
    "RO App's clock an hour ahead, and an answer lost": Fault("roapp", "drop_after", prepare=an_hour_ahead),
    "RO App's clock an hour behind, and an answer lost": Fault("roapp", "drop_after", prepare=an_hour_behind),
}


@pytest.mark.long
@pytest.mark.parametrize("fault", LOST)
def test_what_a_lost_answer_made_is_found(points: Points, record: Record, fault: str) -> None:
    struck = points(strike, LOST[fault])
    assert struck.about > 30
    assert struck.recovery <= Recovery.NEXT_SYNC
    record(SECTION, fault, struck.toll, "the same run or the next one")


# -- deleted by hand --------------------------------------------------------------------------------------------------


Deletion = Callable[[World], Callable[[], None] | None]  # None while there is nothing to delete


def the_order(world: World) -> Callable[[], None] | None:
    found = world.roapp_orders(world.shop()).get(next(iter(world.box.shops[0].orders)))
    return partial(world.box.roapp.delete_order, found[0]["id"]) if found else None


def the_contact(world: World) -> Callable[[], None] | None:
    found = world.made_contacts()
    return partial(world.box.roapp.delete_contact, found[0]["id"]) if found else None


def the_product(world: World) -> Callable[[], None] | None:
    found = [row for row in world.made_products() if row["code"] == "CAP-2"]
    return partial(world.box.roapp.delete_product, found[0]["id"]) if found else None


@pytest.mark.long
def test_an_order_deleted_by_hand_at_any_moment_is_not_made_again(points: Points, record: Record) -> None:
    struck = points(order_deleted)
    assert struck.about > 15
    record(SECTION, "an order deleted by hand", struck.toll, "not made again; held as soon as it changes in the shop")


def order_deleted(url: str, n: int) -> Struck | None:
    with quiet(url, QUICK) as world:
        place(world)
        shop = world.box.shops[0]
        number = next(iter(shop.orders))
        if not by_hand(world, n, the_order):
            return None
        shop.set_waybill(number, "20450000000002")
        world.synced()
        toll = world.toll(world.shop(), list(shop.orders))
        if world.held() != {("order", number): "deleted-in-roapp"}:
            toll.wrong.append(f"held: {world.held()}")
        toll.doubled += len(world.roapp_orders(world.shop()).get(number, []))
        return Struck(toll)


@pytest.mark.long
@pytest.mark.parametrize("what", ["contact", "product"])
def test_a_record_deleted_by_hand_at_any_moment_is_made_again_where_it_is_needed(
    points: Points, record: Record, what: str
) -> None:
    struck = points(record_deleted, {"contact": the_contact, "product": the_product}[what])
    assert struck.about > 15
    record(SECTION, f"a {what} deleted by hand", struck.toll, "made again for the next order that needs it")


def record_deleted(url: str, n: int, deletion: Deletion) -> Struck | None:
    """What the second buyer's orders lost by the deletion is RO App's staff's; the next one of theirs is whole."""
    with quiet(url, QUICK) as world:
        place(world)
        if not by_hand(world, n, deletion):
            return None
        shop = world.box.shops[0]
        world.imported()
        shop.place_order(articles=[("CAP-2", 2)], delivery_phone="0502223344")
        world.synced()
        second, third = list(shop.orders)[1:3]
        return judged(world, gone=[second, third])


def by_hand(world: World, n: int, deletion: Deletion) -> bool:
    """Import, changes and sync; once there is something to delete it is deleted at RO App's n-th call, and stays so.
    False where there are fewer calls."""
    left = n

    def listen(method: str, path: str, phase: str) -> None:
        nonlocal left
        if phase == "before" and left >= 0 and (delete := deletion(world)):
            if left == 0:
                delete()
            left -= 1

    stop = world.box.roapp.on_call(listen)
    world.imported()
    change(world)
    world.synced()
    stop()
    return left < 0
