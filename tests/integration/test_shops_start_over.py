"""A shop is deleted with its history, connected and imported again: nothing is there twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from threading import Timer
from typing import Any

import pytest
from sqlalchemy import text
from world import World


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=8, delivered=1, older=0) as world:
        yield world


def ids(world: World) -> dict[str, list[int]]:
    return {number: [row["id"] for row in rows] for number, rows in world.roapp_orders(world.shop()).items()}


def test_the_import_begins_anew_and_every_order_is_the_one_that_it_was(world: World) -> None:
    """What is Delivered by then is not imported; the night binds it again."""
    shop = world.box.shops[0]
    world.imported()
    before, made = ids(world), len(world.made_contacts())
    delivered = next(iter(before))
    shop.set_status(delivered, 3)
    world.synced()
    world.forget()
    assert world.imported().counts.new == len(before) - 1
    assert {one["what"] for one in world.reconciled(repair=True)["findings"]} == {"missing-in-ledger"}
    assert (ids(world), len(world.made_contacts()), world.held()) == (before, made, {})
    assert world.differences(world.shop(), sorted(before)) == []
    assert world.synced().calls.roapp_writes == 0
    shop.set_waybill(delivered, "20450000000077")
    world.synced()
    assert "20450000000077" in world.roapp_order(delivered)["manager_notes"], "followed again"


def test_an_order_whose_making_is_unclear_before_it_is_not_made_again(database: str) -> None:
    """RO App carries the call out when the next import would make the order, or a while later."""
    patient: dict[str, Any] = {"unclear_wait": 1.5}
    with World.of(database, orders=2, delivered=0, older=0, settings=patient) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        plan = roapp.faults.fail("parked", 1, method="POST", path="^/orders$")
        asyncio.run(_until_unclear(world))
        (unclear,) = _unclear(world)
        world.forget()

        def arrive() -> None:
            plan.released = True

        def listen(method: str, path: str, phase: str) -> None:
            if (method, path, phase) == ("POST", "/orders", "before") and len(ids(world)) == len(shop.orders) - 1:
                arrive()

        stop, timer = roapp.on_call(listen), Timer(2.5, arrive)
        timer.start()
        world.imported()
        stop()
        assert len(ids(world)[unclear]) == 1
        world.synced()
        assert world.held() == {}
        assert world.differences(world.shop(), shop.qualifying()) == []


def _unclear(world: World) -> list[str]:
    with world.engine.connect() as connection:
        return list(connection.scalars(text("SELECT number FROM order_events WHERE kind = 'postponed'")))


async def _until_unclear(world: World) -> None:
    """Imports until nobody knows what became of a call, and ends the run there."""
    run = asyncio.ensure_future(world.import_(world.shop()))
    while not world.value("SELECT count(*) FROM order_events WHERE kind = 'postponed'"):
        await asyncio.sleep(0.01)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run


@pytest.mark.parametrize("moved", ["UMB-1", "NEW-ART"])
def test_a_line_of_another_article_and_quantity_after_it_is_there_once(world: World, moved: str) -> None:
    shop = world.box.shops[0]
    number = shop.place_order(articles=[], status=1)
    shop.add_line(number, "CAP-2", 5, price=100)
    world.imported()
    assert world.total(number) == 500
    shop.change_line(number, 0, article=moved, quantity=6)
    shop.change_line(number, 0, **({"title": "Інша назва"} if moved == "NEW-ART" else {}))
    world.forget()
    world.imported()
    assert world.total(number) == 600
    world.synced()
    assert world.total(number) == 600
    assert world.held() == {}
