"""A status on its way back into the shop, with a fault at every step: the sync that carries it is killed at calls and
commits, and disturbed at calls."""

from __future__ import annotations

import signal

import pytest
from kills import Point, killed
from points import QUICK, Fault, Points, Recovery, Struck, ends, quiet
from reliability import Record
from world import World

from cartum_roapp.shops import ShopConfig

NEW, PROCESSING, DELIVERED, SHIPPING = 1, 2, 3, 6

FAULTS = {
    "the shop answers 500, and has set the status": Fault("shop", "error_after"),
    "the shop hangs past the time-out, and has set the status": Fault("shop", "hang_after", more={"seconds": 5.0}),
    "RO App closes the connection after it accepted": Fault("roapp", "drop_after"),
}


@pytest.mark.long
@pytest.mark.parametrize("kind", ["received", "applied", "commit"])
def test_a_kill_at_every_point_neither_loses_nor_turns_back_a_status(points: Points, record: Record, kind: str) -> None:
    struck = points(kill, kind)
    assert struck.about > 8, "a sync has more points than that"
    name = {"received": "before a call", "applied": "between a call and its answer", "commit": "before a commit"}[kind]
    record("Kills", f"kill -9 {name} of a sync that carries statuses both ways: every one", struck.toll, "the next run")


def kill(url: str, n: int, kind: str) -> Struck | None:
    point = Point(kind, n + 1)
    with quiet(url, QUICK) as world:
        moved_on_both_sides(world)
        box = world.box
        ended = killed(point, world, lambda own: own.synced(both(own)), [box.shops[0], box.roapp])
        assert ended in (0, signal.SIGKILL), f"the sync failed by itself before {point}"
        if not ended:
            return None
        first, _, third = box.shops[0].orders  # on both sides they go on while nobody syncs
        staff_set(world, first, DELIVERED)
        box.shops[0].set_status(third, NEW)
        return judged(world, [DELIVERED, PROCESSING, NEW])


@pytest.mark.long
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_at_every_call_neither_loses_nor_turns_back_a_status(points: Points, record: Record, name: str) -> None:
    struck = points(disturb, FAULTS[name])
    assert struck.about > 4, "a sync has more calls than that"
    record("On the wire", f"{name}, while statuses travel both ways", struck.toll, "the same run or the next one")


def disturb(url: str, n: int, fault: Fault) -> Struck | None:
    with quiet(url, fault.settings) as world:
        moved_on_both_sides(world)
        fault.on(world).fail(fault.kind, skip=n, **fault.more)
        ends(lambda: world.synced(both(world)))
        if not fault.met(world):
            return None
        fault.on(world).calm()
        return judged(world, [SHIPPING, PROCESSING, PROCESSING])


def both(world: World) -> ShopConfig:
    return world.shop(status_direction="both")


def moved_on_both_sides(world: World) -> None:
    """Three orders in RO App: of the first staff have set the status, of the others the shop."""
    box = world.box.shops[0]
    first, *others = (box.place_order(articles=[("KR-799", 1)], delivery_phone=f"050222334{n}") for n in range(3))
    world.imported(both(world))
    world.synced(both(world))
    staff_set(world, first, SHIPPING)
    for number in others:
        box.set_status(number, PROCESSING)


def staff_set(world: World, number: str, status: int) -> None:
    """The status of RO App that the shop's is matched with."""
    world.box.roapp.set_status(world.roapp_order(number)["id"], both(world).statuses[status])


def judged(world: World, statuses: list[int]) -> Struck:
    """After at most two more syncs both sides have these statuses, and nothing is left to write on either."""
    box = world.box.shops[0]

    def right() -> bool:
        return [row["stat_status"] for row in box.orders.values()] == statuses

    recovery = Recovery.SAME_RUN if right() else Recovery.NEXT_RUN
    for _ in range(2):
        world.synced(both(world))
    before = sum(call.path == "orders/update" for call in box.calls)
    idle = world.synced(both(world))
    toll = world.toll(world.shop(), list(box.orders))
    if not right():
        toll.lost += 1
        toll.wrong.append(f"the shop has {[row['stat_status'] for row in box.orders.values()]}")
    if idle.calls.roapp_writes or sum(call.path == "orders/update" for call in box.calls) > before:
        toll.wrong.append("writing calls when nothing changed")
    if world.held():
        toll.wrong.append(f"held: {world.held()}")
    return Struck(toll, recovery)
