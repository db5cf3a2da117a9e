"""What the ledger knows of a shop's orders is forgotten, and the import begins anew: nothing is there twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from threading import Timer
from typing import Any

import pytest
from sqlalchemy import text
from world import FORESEEN, World

from cartum_roapp.errors import NotReady
from cartum_roapp.ledger import (
    chosen_contacts,
    database,
    erasure,
    held,
    held_selection,
    shops,
    standstill,
)


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=8, delivered=1, older=0) as world:
        yield world


def after_the_window(world: World) -> datetime:
    """The shop tells whole seconds only."""
    return world.box.clock.now() + timedelta(seconds=5)


def ids(world: World) -> dict[str, list[int]]:
    return {number: [row["id"] for row in rows] for number, rows in world.roapp_orders(world.shop()).items()}


def test_the_import_begins_anew_and_every_order_is_the_one_that_it_was(world: World) -> None:
    shop = world.box.shops[0]
    world.imported()
    window = shops.state(world.engine, world.shop().key)
    late = shop.place_order(articles=[("KR-799", 1)], created=after_the_window(world))
    world.synced()
    before, made = ids(world), len(world.made_contacts())
    assert late in before
    done = world.reset()
    assert (done.orders, done.kept, done.unclear_calls) == (len(before), 0, 0)
    state = shops.state(world.engine, world.shop().key)
    assert (state.window_from, state.window_to) == (window.window_from, window.window_to)
    assert (state.window_stored_at, state.watermark) == (None, None)
    with pytest.raises(NotReady, match="import"):
        world.synced()
    again = world.imported()
    world.synced()
    assert again.counts.new == len(before) - 1, "the order that was placed later comes with the sync"
    assert (ids(world), len(world.made_contacts())) == (before, made)
    assert world.held() == {}
    assert world.differences(world.shop(), sorted(before)) == []
    assert world.synced().calls.roapp_writes == 0


def test_what_was_delivered_since_is_still_followed(world: World) -> None:
    shop = world.box.shops[0]
    world.imported()
    number = shop.place_order(articles=[("KR-799", 1)], created=after_the_window(world))
    shop.set_status(number, 3)
    world.synced()
    world.reset()
    world.imported()
    world.synced()
    shop.set_waybill(number, "20450000000077")
    world.synced()
    assert "20450000000077" in world.roapp_order(number)["manager_notes"]


def test_an_order_that_is_delivered_by_then_is_bound_again_at_night(world: World) -> None:
    """No import reads it. Where RO App was not told that it is Delivered, a person decides."""
    shop = world.box.shops[0]
    world.imported()
    before = ids(world)
    told, not_told, *_ = before
    shop.set_status(told, 3)
    shop.set_status(not_told, 2)
    world.synced()
    shop.set_status(not_told, 3)
    world.reset()
    world.imported()
    assert world.value("SELECT count(*) FROM orders") == len(before) - 2
    assert {one["what"] for one in world.reconciled(repair=True)["findings"]} == {"missing-in-ledger"}
    assert (ids(world), world.held()) == (before, {("status", not_told): "status-differs"})
    shop.set_waybill(told, "20450000000077")
    world.synced()
    assert "20450000000077" in world.roapp_order(told)["manager_notes"], "followed again"


def test_an_order_whose_making_is_unclear_before_the_reset_is_not_made_again(database: str) -> None:
    """RO App carries the call out when the next import would make the order, or a while later."""
    patient: dict[str, Any] = {"unclear_wait": 1.5}
    with World.of(database, orders=2, delivered=0, older=0, settings=patient) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        plan = roapp.faults.fail("parked", 1, method="POST", path="^/orders$")
        asyncio.run(_until_unclear(world))
        (unclear,) = _unclear(world)
        assert world.reset().unclear_calls >= 1

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


def test_what_people_decided_stays_decided(world: World) -> None:
    """An order that was entered in RO App by hand and dismissed here is not made; nor one that was deleted there."""
    shop, roapp, key = world.box.shops[0], world.box.roapp, world.shop().key
    world.imported()
    roapp.faults.required_order_fields = ("ad_campaign_id",)
    dismissed = shop.place_order(articles=[("KR-799", 1)])
    deleted = next(iter(ids(world)))
    roapp.delete_order(world.roapp_order(deleted)["id"])
    shop.set_waybill(deleted, "20450000000077")
    world.synced()
    assert world.held() == {("order", dismissed): "refused", ("order", deleted): "deleted-in-roapp"}
    roapp.faults.required_order_fields = ()
    with world.engine.begin() as connection:
        held.dismiss(connection, key, held_selection.find(world.engine, key, [dismissed]))
        buyer = "(SELECT min(ro_id) FROM links WHERE kind = 'contact')"
        connection.execute(text(f"UPDATE links SET chosen_at = now() WHERE ro_id = {buyer}"))
    assert world.reset().kept == 2
    world.imported()
    world.synced()
    assert ids(world).keys().isdisjoint({dismissed, deleted})
    assert world.held() == {("order", deleted): "deleted-in-roapp"}
    assert len(chosen_contacts.listed(world.engine, [key])) == 1


def test_what_a_backfill_brought_from_before_the_window_is_still_followed(world: World) -> None:
    world.imported()
    number = next(iter(ids(world)))
    with world.engine.begin() as connection:
        before = "UPDATE orders SET created_at = created_at - interval '1 year' WHERE number = :number"
        connection.execute(text(before), {"number": number})
    assert world.reset().kept == 1
    world.imported()
    world.box.shops[0].set_waybill(number, "20450000000077")
    world.synced()
    assert "20450000000077" in world.roapp_order(number)["manager_notes"]


def test_an_erased_buyer_stays_erased(world: World) -> None:
    shop, key = world.box.shops[0], world.shop().key
    number = shop.place_order(articles=[("KR-799", 1)], delivery_phone="+380671234567", delivery_name="Ганна")
    world.imported()
    shop.set_status(number, 4)
    world.synced()
    with world.engine.begin() as connection:
        erasure.erase(connection, key, erasure.find(connection, key, "number", number, "UA"), "number")
    assert world.reset().kept == 1
    world.imported()
    world.synced()
    assert world.value("SELECT count(*) FROM orders WHERE number = :number AND buyer_name = ''", number=number) == 1
    assert world.value("SELECT count(*) FROM orders WHERE buyer_phone = '+380671234567'") == 0
    assert len(ids(world)[number]) == 1


@pytest.mark.parametrize("lock", ["reading:{key}", "account:main"])
def test_it_is_refused_while_a_run_is_at_it(world: World, lock: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world.imported()
    before = world.value("SELECT count(*) FROM orders")
    state = shops.state(world.engine, world.shop().key)
    with (
        database.locked(world.engine, lock.format(key=state.key)),
        pytest.raises(NotReady, match="now; nothing was changed") as refused,
        standstill.unread(world.engine, state, 0.1),
        standstill.undelivered(world.engine, state, 0.1),
    ):
        pytest.fail("a run is at it")
    assert refused.value.fix
    assert world.value("SELECT count(*) FROM orders") == before > 0


def test_a_backfill_that_was_broken_off_begins_anew(world: World) -> None:
    """It would go on behind the orders that are forgotten, and no import reads Delivered ones."""
    shop, now = world.box.shops[0], world.box.clock.now()
    early, late = (
        shop.place_order(articles=[("CAP-2", 1)], status=3, created=now - timedelta(days=days)) for days in (16, 2)
    )
    world.imported()
    named: dict[str, Any] = {"since": (now - timedelta(days=20)).date(), "until": now.date()}
    shop.faults.fail("error", times=99, path="orders/get", skip=3)
    with pytest.raises(FORESEEN):
        world.backfilled(**named)
    shop.faults.calm()
    query = "SELECT array_agg(number) FROM orders WHERE number IN (:early, :late)"
    assert world.value(query, early=early, late=late) == [late]
    world.reset()
    world.imported()
    result = world.backfilled(**named)
    assert (result["state"], result["went_on"]) == ("done", False)
    world.synced()
    assert {early, late} <= ids(world).keys()


def test_a_row_of_a_backfill_from_before_the_window_is_held_after_a_reset(world: World) -> None:
    shop = world.box.shops[0]
    world.imported()
    number = shop.place_order(articles=[("CAP-2", 1)], created=world.box.clock.now() - timedelta(days=100))
    shop.edit(number, total_sum="viel")
    world.backfilled(numbers=[number])
    assert list(world.held()) == [("row", number)]
    world.reset()
    world.imported()
    world.synced()
    world.reconciled(repair=True)
    assert list(world.held()) == [("row", number)]


@pytest.mark.parametrize("moved", ["UMB-1", "NEW-ART"])
def test_a_line_of_another_article_and_quantity_after_a_reset_is_there_once(world: World, moved: str) -> None:
    shop = world.box.shops[0]
    number = shop.place_order(articles=[], status=1)
    shop.add_line(number, "CAP-2", 5, price=100)
    world.imported()
    assert world.total(number) == 500
    shop.change_line(number, 0, article=moved, quantity=6)
    shop.change_line(number, 0, **({"title": "Інша назва"} if moved == "NEW-ART" else {}))
    world.reset()
    world.imported()
    assert world.total(number) == 600
    world.synced()
    assert world.total(number) == 600
    assert world.held() == {}
