"""SIGKILL at the calls and commits of runs in which RO App or the shop asks for something out of the ordinary."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest
from kills import Point, killed
from points import QUICK, Points, Struck, looked_at, quiet
from world import World

from cartum_roapp.shops import ShopConfig

CANCELED, SHIPPING = 4, 6


def comments_demanded(world: World) -> None:
    """Each change of status needs a comment."""
    world.box.roapp.faults.comment_statuses = tuple(world.box.roapp.statuses)
    for n in range(2):
        world.box.shops[0].place_order(articles=[("KR-799", 1)], status=SHIPPING, delivery_phone=f"050222334{n}")


def late_status(world: World) -> None:
    """A status that the shop was given arrives after its manager has canceled the order."""
    shop = world.box.shops[0]
    number = shop.place_order(articles=[("KR-799", 1)])
    world.imported(both(world))
    world.synced(both(world))
    world.box.roapp.set_status(world.roapp_order(number)["id"], both(world).statuses[SHIPPING])
    parked = shop.faults.fail("parked", path="^orders/update$")
    world.synced(both(world))
    shop.set_status(number, CANCELED)
    world.synced(both(world))
    parked.released = True
    until = time.monotonic() + 60
    while shop.orders[number]["stat_status"] != SHIPPING and time.monotonic() < until:
        time.sleep(0.01)


def catalogue_back(world: World) -> None:
    """What goes by barcode waits for the shop's catalogue, which can be read again."""
    shop = world.box.shops[0]
    shop.faults.refused_functions = ("catalog/export",)
    for n, article in enumerate(("KR-799", "CAP-2")):
        shop.place_order(articles=[(article, 1)], status=SHIPPING, delivery_phone=f"050222334{n}")
    world.imported(by_barcode(world))
    assert set(world.held().values()) == {"catalogue-unavailable"}
    shop.faults.refused_functions = ()


def by_barcode(world: World) -> ShopConfig:
    return world.shop(identify_products_by=["barcode"])


WORDS = "Подзвонити о 15:00"


def hidden_notes(world: World) -> None:
    """RO App does not show the notes, below which staff have written, of an order that changes."""
    shop, roapp = world.box.shops[0], world.box.roapp
    number = shop.place_order(articles=[("KR-799", 1)])
    world.imported()
    order = world.roapp_order(number)
    roapp.edit_order(order["id"], manager_notes=f"{order['manager_notes']}\n{WORDS}")
    roapp.faults.order_notes = False
    shop.set_waybill(number, "20450000000001")


def notes_shown(world: World) -> None:
    """They follow with the next change."""
    world.box.roapp.faults.order_notes = True
    for number in list(world.box.shops[0].orders):
        assert world.roapp_order(number)["manager_notes"].endswith(WORDS)
        world.box.shops[0].set_status(number, SHIPPING)


def discounts_split(world: World) -> None:
    """An order's discount that its quantity does not divide."""
    shop = world.box.shops[0]
    for quantity, less in ((2, 98), (3, 10)):
        number = shop.place_order(articles=[("KR-799", quantity)], status=SHIPPING)
        shop.edit(number, total_default=799 * quantity, total_sum=799 * quantity - less)
        if quantity == 2:
            world.imported()


def one_order(world: World) -> None:
    buyer = {"delivery_phone": "+380671112233", "delivery_email": "", "delivery_name": "Олена Шевченко"}
    world.box.shops[0].place_order(articles=[("KR-799", 2)], status=SHIPPING, **buyer)
    world.imported()


def another_buyer(world: World) -> None:
    (number,) = world.box.shops[0].orders
    world.box.shops[0].edit_buyer(number, phone="+380509998877", name="Інша Людина")


def another_line(world: World) -> None:
    (number,) = world.box.shops[0].orders
    world.box.shops[0].change_line(number, quantity=3, price=700)
    world.box.shops[0].edit(number, total_sum=2050)


def changed(world: World) -> None:
    one_order(world)
    another_buyer(world)
    another_line(world)


def taken_back(world: World) -> None:
    """They are again what they were."""
    shop = world.box.shops[0]
    (number,) = shop.orders
    shop.edit_buyer(number, phone="+380671112233", name="Олена Шевченко")
    shop.change_line(number, quantity=2, price=799)


def both(world: World) -> ShopConfig:
    return world.shop(status_direction="both")


#: What was there before the run that is killed, that run, and the status that the orders have in the end.
STORIES: dict[str, tuple[Callable[[World], None], Callable[[World], object], int]] = {
    "comments are demanded": (comments_demanded, World.imported, SHIPPING),
    "a late status": (late_status, lambda world: world.synced(both(world)), CANCELED),
    "notes are hidden": (hidden_notes, World.synced, SHIPPING),
    "a discount splits a line": (discounts_split, World.synced, SHIPPING),
    "a change is taken back": (changed, World.synced, SHIPPING),
    "the catalogue works again": (catalogue_back, lambda world: world.synced(by_barcode(world)), SHIPPING),
}
#: What happens right after the kill.
AFTER_THE_KILL: dict[str, Callable[[World], None]] = {"a change is taken back": taken_back}
#: What happens after the kill and two more runs.
AFTERWARDS: dict[str, Callable[[World], None]] = {"notes are hidden": notes_shown}


@pytest.mark.long
@pytest.mark.parametrize("kind", ["sent", "received", "applied", "commit"])
@pytest.mark.parametrize("story", STORIES)
def test_a_kill_at_every_point_costs_nothing(points: Points, story: str, kind: str) -> None:
    if (story, kind) == ("a late status", "sent"):
        pytest.skip("nothing is written to RO App")
    struck = points(kill, kind, story)
    assert struck.about > 0, "the run has more points than that"
    assert struck.toll.wrong == []


def kill(url: str, n: int, kind: str, story: str) -> Struck | None:
    prepare, run, status = STORIES[story]
    with quiet(url, QUICK) as world:
        prepare(world)
        ended = killed(Point(kind, n + 1), world, run, [world.box.shops[0], world.box.roapp])
        assert ended in (0, signal.SIGKILL), f"the run failed by itself before {kind} {n + 1}"
        if not ended:
            return None
        if story in AFTER_THE_KILL:
            AFTER_THE_KILL[story](world)
        for _ in range(2):
            run(world)
        if story in AFTERWARDS:
            AFTERWARDS[story](world)
            world.synced()
        idle = world.synced()
        toll = looked_at(world)
        if idle.calls.roapp_writes:
            toll.wrong.append(f"{idle.calls.roapp_writes} writing calls when nothing changed")
        if {row["stat_status"] for row in world.box.shops[0].orders.values()} != {status}:
            toll.wrong.append("the shop has another status")
        return Struck(toll)


@pytest.mark.parametrize("change", [another_buyer, another_line])
def test_what_the_shop_takes_back_after_a_kill_is_taken_back(database: str, change: Callable[[World], None]) -> None:
    with quiet(database, QUICK) as world:
        one_order(world)
        for act in (change, taken_back):  # the buyers are known then: all kills meet the same calls
            act(world)
            world.synced()
        for n in range(1, 30):
            change(world)
            ended = killed(Point("applied", n), world, World.synced, [world.box.roapp])
            taken_back(world)
            for _ in range(2):
                world.synced()
            assert looked_at(world).wrong == [], f"killed at call {n}"
            if not ended:
                break
        assert n > 3, "it is looked at, written, and read back"


def test_a_kill_beside_the_notes_costs_no_long_comment(database: str) -> None:
    with quiet(database, QUICK) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        number = shop.place_order(articles=[("KR-799", 1)], comment="коротко")
        world.imported()
        for n in range(1, 20):
            long = f"Коментар {n}. " + "Рядок про доставку та пакування. " * 30
            shop.edit(number, comment=long)
            ended = killed(Point("applied", n), world, World.synced, [roapp])
            world.synced()
            said = [one["comment"] for one in roapp.comments_of(world.roapp_order(number)["id"])]
            assert sum(long.strip() in one for one in said) == 1, f"killed at call {n}"
            if not ended:
                break
        assert n > 2, "notes and comment are written"


def test_a_kill_before_a_line_of_staff_is_remembered_tells_it_again(database: str) -> None:
    with World.of(database, orders=2, delivered=0, older=0) as world:
        world.imported()
        ro_id = world.roapp_order(world.box.shops[0].qualifying()[0])["id"]
        world.box.roapp.add_item(ro_id, entity_id=next(iter(world.box.roapp.services)), quantity=1, price=60, cost=0)
        remembered: list[int] = []
        for n in range(1, 50):
            if not killed(Point("commit", n), world, lambda own: own.reconciled(repair=True), []):
                break
            remembered.append(world.value("SELECT count(*) FROM order_matches WHERE staff_total <> 0"))
        assert sum(remembered[:-1]) == 0, "only the run's own end follows, when its report has been shown"
        assert world.reconciled(repair=True)["findings"] == [], "the run that went through has told it"
