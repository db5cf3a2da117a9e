"""Two runs at once; the second begins at a call of the first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from points import QUICK, Points, Recovery, Struck, change, judged, looked_at, place, quiet
from reliability import Record
from world import Toll, World

SECTION = "Side by side"


@pytest.mark.long
def test_two_importers_at_once(points: Points, record: Record) -> None:
    struck = points(importers)
    assert struck.about > 15
    record(SECTION, "two importers at once", struck.toll, str(Recovery.SAME_RUN))


def importers(url: str, n: int) -> Struck | None:
    with quiet(url, QUICK) as world:
        place(world)
        other = World(world.box, url, **QUICK)
        return judged(world) if beside(world, n, world.imported, other.imported) else None


@pytest.mark.long
def test_a_sync_during_an_import(points: Points, record: Record) -> None:
    struck = points(sync_during_import)
    assert struck.about > 15
    record(SECTION, "a sync during an import", struck.toll, str(Recovery.SAME_RUN))


def sync_during_import(url: str, n: int) -> Struck | None:
    with quiet(url, QUICK) as world:
        place(world)
        other = World(world.box, url, **QUICK)

        def sync() -> None:
            change(world)
            other.synced()

        return judged(world) if beside(world, n, world.imported, sync) else None


BUYERS = {
    "two shops on one account": [{}, {}],
    "one buyer in two shops at once, known by phone": [
        {"delivery_phone": "+38 (067) 111-22-55", "delivery_email": "", "delivery_name": "Іван Франко"},
        {"delivery_phone": "0671112255", "delivery_email": "ivan@example.com", "delivery_name": "ФРАНКО Іван"},
    ],
    "one buyer in two shops at once, known by e-mail": [
        {"delivery_phone": "", "delivery_email": "ivan@example.com"},
        {"delivery_phone": "", "delivery_email": "Ivan@Example.com"},
    ],
    "one buyer in two shops at once, in one by phone, in one by e-mail": [
        {"delivery_phone": "0671112255", "delivery_email": "ivan@example.com"},
        {"delivery_phone": "", "delivery_email": "IVAN@example.com"},
    ],
}


@pytest.mark.long
@pytest.mark.parametrize("buyers", BUYERS)
def test_two_shops_on_one_account(points: Points, record: Record, buyers: str) -> None:
    struck = points(neighbours, buyers)
    assert struck.about > 15
    record(SECTION, buyers, struck.toll, str(Recovery.SAME_RUN))


def neighbours(url: str, n: int, buyers: str) -> Struck | None:
    with quiet(url, QUICK, shops=2) as world:
        place(world)
        one, two = world.shop(0), world.shop(1)
        goods = [("KR-799", 1), ("LMP-07", 1)]
        numbers = [
            box.place_order(articles=goods, **buyer) for box, buyer in zip(world.box.shops, BUYERS[buyers], strict=True)
        ]
        other = World(world.box, url, **QUICK)
        if not beside(world, n, lambda: world.imported(one, two), lambda: other.imported(two, one)):
            return None
        toll = Toll()
        for index, shop in enumerate((one, two)):
            toll += looked_at(world, shop, index=index)
        toll.tried = 1
        orders = [world.roapp_orders(shop)[number][0] for shop, number in zip((one, two), numbers, strict=True)]
        if BUYERS[buyers][0] and orders[0]["client_id"] != orders[1]["client_id"]:
            toll.doubled += 1
            toll.wrong.append("one buyer is two contacts")
        return Struck(toll)


def beside(world: World, n: int, first: Callable[[], object], second: Callable[[], object]) -> bool:
    """Starts the second run, in a thread of its own, at the n-th call that RO App receives of the first. False where
    the first has fewer calls."""
    begin, over = threading.Event(), threading.Event()
    left = n

    def listen(method: str, path: str, phase: str) -> None:
        nonlocal left
        if phase == "before":
            if left == 0:
                begin.set()
            left -= 1

    def then() -> bool:
        begin.wait()
        if over.is_set() and left >= 0:
            return False
        second()
        return True

    stop = world.box.roapp.on_call(listen)
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(then)
        try:
            first()
        finally:
            over.set()
            begin.set()
        began = result.result()
    stop()
    return began
