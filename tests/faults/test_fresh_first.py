"""An order placed during a long import does not wait behind it, on a scaled clock.

RO App gets a call every 5 ms instead of every 351 ms. A sync runs every 5 minutes, so 855 calls are one interval; how
far a fresh order is behind is counted in calls, which no machine makes more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from forked import Forked
from reliability import Record
from sampling import Sample
from world import World

from cartum_roapp.delivery.drain import IN_FLIGHT
from cartum_roapp.ledger.orders import Priority
from cartum_roapp.shops import ShopConfig
from sandbox.messages import Call

SCALED: dict[str, Any] = {"roapp_interval": 0.005, "http_timeout": 10.0}
A_SYNC_INTERVAL = round(300 / 0.351)
A_MINUTE = round(60 / 0.351)
#: Calls that one order takes at most here: buyer searched in two ways and made, product made and read again, order,
#: four lines, comment, its status read and set.
CHAIN = 13
#: An order in flight ends before the fresh one begins, and both have turns beside the others in flight.
SOON = 2 * IN_FLIGHT * CHAIN

assert SOON < A_SYNC_INTERVAL / 4


@contextmanager
def a_world(url: str, orders: int) -> Iterator[World]:
    """The first shop has so many orders to import, the second one five."""
    with World.of(url, orders=orders, delivered=0, older=0, shops=2, settings=SCALED) as world:
        small = world.box.shops[1]
        for number in small.qualifying()[5:]:
            small.delete_order(number)
        yield world


def beside(world: World, work: Callable[[World], object]) -> Forked:
    return Forked(lambda: work(World(world.box, world.url, **SCALED)))


def made(world: World, count: int) -> None:
    """Returns when RO App has that many orders."""
    wait_for(lambda: len(world.box.roapp.orders) >= count)


def wait_for(what: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 120
    while not (found := what()):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return found


class Overtaking:
    """Follows orders on their way from the outbox into RO App."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._calls = world.box.roapp.calls
        self._waiting: dict[tuple[str, str], int] = {}
        self._queued: dict[tuple[str, str], int] = {}

    def expect(self, shop: ShopConfig, number: str, priority: int) -> None:
        self._waiting[shop.key, number] = priority

    def queued(self) -> None:
        """Returns when all that were expected wait for delivery; notes what RO App had been called until then."""
        query = "SELECT count(*) FROM outbox WHERE shop = :shop AND number = :number AND priority = :priority"

        def look() -> bool:
            for (shop, number), priority in list(self._waiting.items()):
                before = len(self._world.box.roapp.calls)
                if self._world.value(query, shop=shop, number=number, priority=priority):
                    self._queued[shop, number] = before
                    del self._waiting[shop, number]
            return not self._waiting

        wait_for(look)

    def behind(self) -> dict[tuple[str, str], int]:
        """How many calls RO App got from then on until it had the whole order; all runs that deliver have ended."""
        calls = self._world.box.roapp.calls
        ids = {one["id"]: marker for marker, rows in self._world.box.roapp.orders_by_marker().items() for one in rows}
        found = {}
        for shop, number in self._queued:
            theirs = [place for place, call in enumerate(calls) if _of(call, ids) == f"{shop}:{number}"]
            found[shop, number] = theirs[-1] - self._queued[shop, number]
        return found


def _of(call: Call, ids: dict[int, str]) -> str | None:
    """The marker of the order that this call is about."""
    if call.method == "POST" and call.path == "/orders":
        return str(call.body["manager_notes"]).partition("]")[0].lstrip("[")
    kind, _, id = call.path.strip("/").partition("/")
    return ids.get(int(id.partition("/")[0])) if kind == "orders" and id[:1].isdigit() else None


@pytest.mark.long
@pytest.mark.alone
def test_a_long_import_is_overtaken_killed_and_finished(database: str, record: Record, sample: Sample) -> None:
    orders = sample.times(2000, 700)
    with a_world(database, orders) as world:
        big, small = world.box.shops
        # Two calendar months may be longer than the trailing window, and RO App gets the oldest orders first.
        one, two = world.shop(0, window_days=70), world.shop(1)
        world.imported(two, one)
        importing = beside(world, lambda own: own.imported(one, two))
        made(world, 60)

        overtaking = Overtaking(world)
        moved = next(number for number in world.roapp_orders(one) if big.orders[number]["stat_status"] != 6)
        big.set_status(moved, 6)
        overtaking.expect(one, moved, Priority.CHANGE)
        overtaking.expect(one, big.place_order(), Priority.FRESH)
        overtaking.expect(two, small.place_order(), Priority.FRESH)
        syncs = [beside(world, lambda own: own.synced(one, two)), beside(world, lambda own: own.synced(two, one))]
        overtaking.queued()
        assert [sync.ended() for sync in syncs] == [0, 0]
        behind = overtaking.behind()
        assert max(behind.values()) <= SOON, str(behind)
        assert len(world.box.roapp.orders) < orders / 2, "the import goes on"

        # Its process dies: syncs go on with what it left, below what is fresh.
        assert importing.kill() < 0
        left = beside(world, lambda own: own.synced(one, two, rest=timedelta(hours=1)))
        made(world, len(world.box.roapp.orders) + 40)
        overtaking = Overtaking(world)
        overtaking.expect(two, small.place_order(), Priority.FRESH)
        sync = beside(world, lambda own: own.synced(two, one))
        overtaking.queued()
        assert sync.ended() == 0
        behind = overtaking.behind()
        assert max(behind.values()) <= SOON, str(behind)
        assert left.kill() < 0

        world.imported(one, two)
        toll = world.toll(one, big.qualifying())
        toll += world.toll(two, small.qualifying(), 1)
        assert (world.held(one), world.held(two)) == ({}, {})
        assert world.synced(one, two).calls.roapp_writes == 0
        recovery = "fresh orders go first; the import, killed twice, goes on where it stopped"
        record("Side by side", "an import of 2,000 orders, syncs of two shops beside it", toll, recovery)


def test_a_fresh_order_waits_for_no_long_ones(database: str) -> None:
    """Nine orders of sixty lines are under way."""
    with World.of(database, orders=0, delivered=0, older=0, shops=2, settings=SCALED) as world:
        (big, small), one, two = world.box.shops, world.shop(0), world.shop(1)
        (line,) = big.orders[big.place_order(articles=[("KR-799", 1)])]["products"]
        world.imported(one, two)
        world.imported(two, one)
        lines = [{**line, "price": 100 + place, "total_price": 100 + place} for place in range(60)]
        for _ in range(IN_FLIGHT + 1):
            big.place_order(products=lines)
        there = len(world.box.roapp.orders)
        long = beside(world, lambda own: own.synced(one, two))
        made(world, there + IN_FLIGHT)
        overtaking = Overtaking(world)
        overtaking.expect(two, small.place_order(articles=[("CAP-2", 1)]), Priority.FRESH)
        sync = beside(world, lambda own: own.synced(two, one))
        overtaking.queued()
        assert (sync.ended(), long.ended()) == (0, 0)
        assert max(overtaking.behind().values()) <= A_MINUTE


def test_a_change_waits_for_no_crowd_of_another_shop(database: str) -> None:
    with a_world(database, 80) as world:
        (big, small), one, two = world.box.shops, world.shop(0, window_days=70), world.shop(1, window_days=70)
        world.imported(one, two)
        world.imported(two, one)
        for number in big.qualifying():
            big.set_status(number, 6)
        crowd = beside(world, lambda own: own.synced(one, two))
        moved = small.qualifying()[0]
        before = len(world.box.roapp.calls)
        wait_for(lambda: sum(call.path.endswith("/status") for call in world.box.roapp.calls[before:]) >= IN_FLIGHT)
        small.set_status(moved, 6)
        overtaking = Overtaking(world)
        overtaking.expect(two, moved, Priority.CHANGE)
        sync = beside(world, lambda own: own.synced(two, one))
        overtaking.queued()
        assert (sync.ended(), crowd.ended()) == (0, 0)
        assert max(overtaking.behind().values()) <= 8 * IN_FLIGHT
