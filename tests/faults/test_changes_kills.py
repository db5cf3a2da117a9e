"""SIGKILL at the calls and commits of runs in which RO App or the shop asks for something out of the ordinary."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
from kills import Point, killed
from points import QUICK, Points, Struck, looked_at, quiet
from world import World

SHIPPING = 6


def comments_demanded(world: World) -> None:
    """Each change of status needs a comment."""
    world.box.roapp.faults.comment_statuses = tuple(world.box.roapp.statuses)
    for n in range(2):
        world.box.shops[0].place_order(articles=[("KR-799", 1)], status=SHIPPING, delivery_phone=f"050222334{n}")


STORIES: dict[str, Callable[[World], None]] = {"comments are demanded": comments_demanded}


@pytest.mark.long
@pytest.mark.parametrize("kind", ["sent", "received", "applied", "commit"])
@pytest.mark.parametrize("story", STORIES)
def test_a_kill_at_every_point_costs_nothing(points: Points, story: str, kind: str) -> None:
    struck = points(kill, kind, story)
    assert struck.about > 4, "the run has more points than that"
    assert struck.toll.wrong == []


def kill(url: str, n: int, kind: str, story: str) -> Struck | None:
    with quiet(url, QUICK) as world:
        STORIES[story](world)
        ended = killed(Point(kind, n + 1), world, World.imported, [world.box.roapp])
        assert ended in (0, signal.SIGKILL), f"the run failed by itself before {kind} {n + 1}"
        if not ended:
            return None
        world.imported()
        idle = world.synced()
        toll = looked_at(world)
        if idle.calls.roapp_writes:
            toll.wrong.append(f"{idle.calls.roapp_writes} writing calls when nothing changed")
        return Struck(toll)


def test_a_kill_before_a_line_of_staff_is_remembered_tells_it_again(database: str) -> None:
    with World.of(database, orders=2, delivered=0, older=0) as world:
        world.imported()
        ro_id = world.roapp_order(world.box.shops[0].qualifying()[0])["id"]
        world.box.roapp.add_item(ro_id, entity_id=next(iter(world.box.roapp.services)), quantity=1, price=60, cost=0)
        remembered: list[int] = []
        for n in range(1, 50):
            if not killed(Point("commit", n), world, lambda own: own.reconciled(repair=True), []):
                break
            remembered.append(world.value("SELECT count(*) FROM staff_lines"))
        assert sum(remembered[:-1]) == 0, "only the run's own end follows, when its report has been shown"
        assert world.reconciled(repair=True)["findings"] == [], "the run that went through has told it"
