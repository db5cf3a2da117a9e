"""A call without an answer leaves a doubt about an order: no other call ends it, and a look does."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from world import World

from cartum_roapp.errors import Retryable

QUICK: dict[str, Any] = {
    "http_timeout": 0.4, "unclear_wait": 0.2, "recheck_after": 0.5, "retry_base": 0.001, "retries": 2,
}  # fmt: skip
ONE, TWO = "+380671112233", "+380509998877"
ORDER = r"^/orders/\d+$"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cartum_roapp.delivery.drain.backoff", lambda attempts: 0.01)


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=0, delivered=0, older=0, settings=QUICK) as world:
        world.imported()
        yield world


def unanswered(world: World, path: str, method: str = "PATCH") -> None:
    """A sync in which RO App carries these calls out without a clear answer."""
    world.box.roapp.faults.fail("error_after", 999, method=method, path=path)
    with suppress(Retryable):
        world.synced()
    world.box.roapp.faults.calm()


def unanswered_once(world: World, path: str) -> None:
    """A sync in which RO App carries such a call out without a clear answer, and is down from then on."""
    roapp = world.box.roapp

    def down(method: str, at: str, phase: str) -> None:
        if phase == "applied" and method == "PATCH" and re.search(path, at):
            roapp.faults.fail("error", 999)

    roapp.faults.fail("error_after", 1, method="PATCH", path=path)
    stop = roapp.on_call(down)
    with suppress(Retryable):
        world.synced()
    stop()
    roapp.faults.calm()


def well(world: World, *numbers: str) -> None:
    assert world.held() == {}
    assert world.differences(world.shop(), numbers) == []


def test_a_buyer_in_doubt_is_taken_back_also_where_the_manager_left(world: World) -> None:
    """RO App gave the order to the new buyer without an answer. The shop takes that back and adds a line; meanwhile the
    manager has left."""
    shop, roapp = world.box.shops[0], world.box.roapp
    number = shop.place_order(articles=[("CAP-2", 1)], delivery_phone=ONE, delivery_email="")
    world.synced()
    before = world.roapp_order(number)["client_id"]
    shop.edit_buyer(number, phone=TWO)
    unanswered_once(world, ORDER)
    assert world.roapp_order(number)["client_id"] != before
    roapp.dismiss_employee(world.roapp_order(number)["manager_id"])
    shop.edit_buyer(number, phone=ONE)
    shop.add_line(number, "KR-799", 1)
    world.synced()
    world.synced()
    well(world, number)
    assert world.roapp_order(number)["client_id"] == before


@pytest.mark.parametrize("silent", [True, False])
def test_whom_staff_chose_stays_after_a_change_that_was_seen_to_have_arrived(world: World, silent: bool) -> None:
    """RO App took a waybill without an answer, and the next try saw it there. Later staff give the order to another
    buyer, and the shop corrects the spelling of the name."""
    shop, roapp = world.box.shops[0], world.box.roapp
    number = shop.place_order(articles=[("CAP-2", 1)], delivery_phone=ONE, delivery_email="")
    other = shop.place_order(articles=[("CAP-2", 1)], delivery_phone=TWO, delivery_email="")
    world.synced()
    shop.set_waybill(number, "20450000000001")
    if silent:
        unanswered(world, ORDER)
    world.synced()
    well(world, number, other)
    chosen = world.roapp_order(other)["client_id"]
    roapp.edit_order(world.roapp_order(number)["id"], client_id=chosen)
    shop.edit_buyer(number, name="Шевченко Олена Петрівна")
    world.synced()
    assert world.roapp_order(number)["client_id"] == chosen


def test_two_articles_that_are_one_product_are_no_doubled_line(world: World) -> None:
    shop, config = world.box.shops[0], world.shop(identify_products_by=["name"])
    for article in ("CAP-2", "KR-799"):
        shop.edit_good(article, titles=dict.fromkeys(("ua", "ru", "en", "ro"), "Кепка"), price=Decimal(300))
    number = shop.place_order(articles=[("CAP-2", 1), ("KR-799", 2)], delivery_phone=ONE)
    world.box.roapp.faults.fail("error", 1, method="POST", path="/items$")
    world.synced(config)
    assert world.held(config) == {}
    assert world.total(number) == Decimal(str(shop.orders[number]["total_sum"]))
    for _ in range(3):
        time.sleep(0.7)
        world.synced(config)
    assert world.held(config) == {}
